import Glibc
import IOSeams
import StorageModel
import Testing

@testable import PoolIO

/// What a power cut leaves: copies of a journal's directory in which some bytes were lost.
@Suite struct JournalCrashTests {
  /// Offset of a record's header in a first segment's file.
  private func headerOffset(_ record: SeenRecord) -> Int {
    Int(record.extent.payload.rawValue) - 88
  }

  private func makeJournal(
    at path: String, recordByteCounts: [Int], syncedCount: Int = 0
  ) throws -> [SeenRecord] {
    let rig = try JournalRig(path)
    try rig.recover()
    defer { rig.journal.close() }
    var records: [SeenRecord] = []
    for (index, byteCount) in recordByteCounts.enumerated() {
      records.append(try rig.append(UInt64(index + 1), byteCount: byteCount))
      if index + 1 == syncedCount { try rig.journal.sync(through: rig.journal.end) }
    }
    return records
  }

  @Test func `Every truncation of the last record leaves exactly those before`() throws {
    let directory = try TemporaryDirectory()
    let records = try makeJournal(at: "\(directory.path)/a", recordByteCounts: [50, 20, 61])
    let original = try readFile("\(directory.path)/a/journal/00000001.journal")
    let path = "\(directory.path)/b"
    let range = headerOffset(records[2])..<Int(records[2].extent.end.rawValue)
    for kept in 0..<range.count {
      try copyTree("\(directory.path)/a", to: path)
      var bytes = original
      for offset in (range.lowerBound + kept)..<range.upperBound { bytes[offset] = 0 }
      try writeFile("\(path)/journal/00000001.journal", bytes)
      let rig = try JournalRig(path)
      let expected = bytes == original ? records : Array(records[..<2])
      #expect(try rig.recover().records == expected)
      let next = try rig.append(9, byteCount: 61)
      rig.journal.close()
      #expect(try JournalRig(path).recover().records == expected + [next])
      removeTree(path)
    }
  }

  @Test func `Every flipped byte of the last record leaves exactly those before`() throws {
    let directory = try TemporaryDirectory()
    let records = try makeJournal(at: "\(directory.path)/a", recordByteCounts: [50, 61])
    let path = "\(directory.path)/b"
    for offset in headerOffset(records[1])..<Int(records[1].extent.payload.rawValue) + 61 {
      try copyTree("\(directory.path)/a", to: path)
      try changeFile("\(path)/journal/00000001.journal") { $0[offset] ^= 0x20 }
      let (found, recovery) = try JournalRig(path).recover()
      #expect(found == [records[0]])
      #expect(recovery.stoppedAt != nil)
      removeTree(path)
    }
  }

  @Test func `Records behind a torn one never join up with new ones of the same size`() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/a"
    let records = try makeJournal(at: path, recordByteCounts: Array(repeating: 3000, count: 60))
    let rig = try JournalRig(path)
    // One sector was lost, everything behind it was not.
    try changeFile(try rig.path(ofSequence: 1)) { bytes in
      for offset in headerOffset(records[9])..<headerOffset(records[9]) + 512 { bytes[offset] = 0 }
    }
    #expect(try rig.recover().records == Array(records[..<9]))
    var expected = Array(records[..<9])
    for number in 10...50 {
      expected.append(try rig.append(UInt64(number + 1000), byteCount: 3000))
      #expect(expected.last?.extent == records[number - 1].extent)
      if number % 5 == 0 {
        let copy = "\(directory.path)/copy"
        try copyTree(path, to: copy)
        #expect(try JournalRig(copy).recover().records == expected)
        removeTree(copy)
      }
    }
  }

  @Test func `A synced record that rotted stops the recovery instead of being dropped`() throws {
    let directory = try TemporaryDirectory()
    let records = try makeJournal(
      at: directory.path, recordByteCounts: [100, 100, 100, 100, 100], syncedCount: 3)
    let rig = try JournalRig(directory.path)
    try changeFile(try rig.path(ofSequence: 1)) { $0[headerOffset(records[1]) + 90] ^= 1 }
    let error = #expect(throws: StoreError.self) { try rig.recover() }
    guard case .corrupt(let corruption)? = error else {
      Issue.record("expected corruption")
      return
    }
    #expect(corruption.place.contains("\(records[0].extent.end)"))
  }

  @Test func `A synced record that rotted is found from a later segment too`() throws {
    let directory = try TemporaryDirectory()
    let records = try makeJournal(
      at: directory.path, recordByteCounts: Array(repeating: 3000, count: 30), syncedCount: 19)
    let rig = try JournalRig(directory.path)
    try changeFile(try rig.path(ofSequence: 1)) { bytes in
      bytes[headerOffset(records[18]) + 90] ^= 1
    }
    #expect(throws: StoreError.self) { try rig.recover() }
  }

  @Test func `An unsynced record that was lost ends the journal although later ones are whole`()
    throws
  {
    let directory = try TemporaryDirectory()
    let records = try makeJournal(
      at: directory.path, recordByteCounts: [100, 100, 100, 100, 100], syncedCount: 3)
    let rig = try JournalRig(directory.path)
    try changeFile(try rig.path(ofSequence: 1)) { $0[headerOffset(records[3]) + 90] ^= 1 }
    #expect(try rig.recover().records == Array(records[..<3]))
  }

  @Test func `A segment whose header never reached the disk ends the journal before it`() throws {
    let directory = try TemporaryDirectory()
    let records = try makeJournal(
      at: directory.path, recordByteCounts: Array(repeating: 3000, count: 30))
    try changeFile("\(directory.path)/journal/00000002.journal") { bytes in
      for offset in 0..<4096 { bytes[offset] = 0 }
    }
    var expected = Array(records[..<19])
    do {
      let rig = try JournalRig(directory.path)
      #expect(try rig.recover().records == expected)
      for number in 20...30 {
        expected.append(try rig.append(UInt64(number + 1000), byteCount: 3000))
      }
    }
    #expect(try JournalRig(directory.path).recover().records == expected)
  }

  @Test func `A journal with parts missing, or of another pool, is refused`() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/a"
    _ = try makeJournal(at: path, recordByteCounts: Array(repeating: 3000, count: 30))
    #expect(throws: StoreError.self) {
      try JournalRig(path, pool: PoolID(UUIDValue(high: 1, low: 2)))
    }
    let copy = "\(directory.path)/b"
    try copyTree(path, to: copy)
    unlink("\(copy)/journal/trim")
    #expect(throws: StoreError.self) { try JournalRig(copy) }
    removeTree(copy)
    try copyTree(path, to: copy)
    unlink("\(copy)/journal/00000001.journal")
    #expect(throws: StoreError.self) { try JournalRig(copy) }
    removeTree(copy)
    try copyTree(path, to: copy)
    #expect(truncate("\(copy)/journal/00000001.journal", 5000) == 0)
    #expect(throws: StoreError.self) { try JournalRig(copy) }
  }

  @Test func `A torn trim mark leaves the one before, two torn ones are an error`() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/trim"
    func openedPosition() throws -> UInt64? {
      try TrimMark.open(path: path, pool: pool, checksum: testChecksum)?.position.rawValue
    }
    #expect(try openedPosition() == nil)
    var mark = try TrimMark.create(
      path: path, pool: pool, position: JournalPosition(8), checksum: testChecksum)
    for position in [16, 24, 32] { try mark.move(to: JournalPosition(UInt64(position))) }
    #expect(try openedPosition() == 32)
    let original = try readFile(path)
    for index in 0..<48 {
      try changeFile(path) { $0[index] ^= 1 }
      let first = try openedPosition()
      try writeFile(path, original)
      try changeFile(path) { $0[4096 + index] ^= 1 }
      #expect(Set([first, try openedPosition()]) == [24, 32])
      try changeFile(path) { $0[index] ^= 1 }
      #expect(throws: StoreError.self) { try openedPosition() }
      try writeFile(path, original)
    }
  }
}
