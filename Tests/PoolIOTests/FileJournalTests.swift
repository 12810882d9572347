import Glibc
import IOSeams
import StorageModel
import Synchronization
import Testing

@testable import PoolIO

@Suite struct FileJournalTests {
  @Test func `A new journal is empty and starts behind position zero`() throws {
    let directory = try TemporaryDirectory()
    let rig = try JournalRig(directory.path)
    let (records, recovery) = try rig.recover()
    #expect(records.isEmpty)
    #expect(recovery.end == FileJournal.firstPosition)
    #expect(rig.journal.end > .zero)
    #expect(rig.journal.usedByteCount == 0)
  }

  @Test(arguments: [0, 1, 7, 8, 9, 300, 4096, 61_000, 61_352])
  func `A record is read back while it lives and after the process died`(byteCount: Int) throws {
    let directory = try TemporaryDirectory()
    var appended: [SeenRecord] = []
    do {
      let rig = try JournalRig(directory.path)
      try rig.recover()
      #expect(rig.journal.maximumPayloadByteCount == 61_352)
      for number in 1...5 { appended.append(try rig.append(UInt64(number), byteCount: byteCount)) }
      for record in appended {
        #expect(try rig.read(record.extent, byteCount: byteCount) == record.payload)
      }
    }
    let rig = try JournalRig(directory.path)
    let (records, recovery) = try rig.recover()
    #expect(records == appended)
    #expect(recovery.end == appended.last?.extent.end)
    #expect(recovery.stoppedAt == nil)
    for record in appended {
      #expect(try rig.read(record.extent, byteCount: byteCount) == record.payload)
    }
  }

  @Test func `Positions run on across segments, and appends go on after a recovery`() throws {
    let directory = try TemporaryDirectory()
    var appended: [SeenRecord] = []
    for round in 0..<4 {
      let rig = try JournalRig(directory.path)
      #expect(try rig.recover().records == appended)
      for number in 1...25 {
        appended.append(try rig.append(UInt64(round * 100 + number), byteCount: 1000 + number))
      }
    }
    for (record, next) in zip(appended, appended.dropFirst()) {
      #expect(next.extent.payload.rawValue - record.extent.end.rawValue == 88)
    }
    #expect(try JournalRig(directory.path).recover().records == appended)
  }

  @Test func `What cannot be right is refused`() throws {
    let directory = try TemporaryDirectory()
    let rig = try JournalRig(directory.path)
    #expect(throws: StoreError.self) { try rig.append(1) }
    try rig.recover()
    #expect(throws: StoreError.self) { try rig.recover() }
    #expect(throws: StoreError.self) { try rig.append(1, byteCount: 61_353) }
    let beyond = rig.journal.end.advanced(byByteCount: 8)
    #expect(throws: StoreError.self) { try rig.journal.sync(through: beyond) }
    #expect(throws: StoreError.self) { try rig.journal.trim(before: beyond) }
    #expect(throws: StoreError.self) {
      try rig.read(JournalExtent(payload: beyond, end: beyond), byteCount: 1)
    }
    rig.journal.close()
    #expect(throws: StoreError.self) { try rig.append(1) }
  }

  @Test func `A full journal says so, and goes on once it was trimmed`() throws {
    let directory = try TemporaryDirectory()
    let rig = try JournalRig(directory.path)
    try rig.recover()
    var appended: [SeenRecord] = []
    let error = #expect(throws: StoreError.self) {
      for number in 1...100 { appended.append(try rig.append(UInt64(number), byteCount: 30_000)) }
    }
    #expect(error == .poolFull)
    #expect(appended.count == 16)
    #expect(try rig.segmentPaths.count == 8)
    try rig.journal.trim(before: appended[7].extent.end)
    for number in 17...24 { appended.append(try rig.append(UInt64(number), byteCount: 30_000)) }
    #expect(throws: StoreError.poolFull) { try rig.append(25, byteCount: 30_000) }
    #expect(try rig.segmentPaths.count == 8)
    rig.journal.close()
    let again = try JournalRig(directory.path)
    #expect(try again.recover().records == Array(appended[8...]))
  }

  @Test func `A journal whose disk is full says so, and goes on in what it has`() throws {
    guard let disk = try SmallFileSystem(megabytes: 1) else { return }  // needs to mount
    let configuration = JournalConfiguration(
      budgetByteCount: 8 << 20, segmentByteCount: 256 << 10)
    var kept: [SeenRecord] = []
    do {
      let rig = try JournalRig("\(disk.path)/pool", configuration: configuration)
      try rig.recover()
      for _ in 0..<3 {
        let error = #expect(throws: StoreError.self) {
          for number in 1...1000 {
            kept.append(try rig.append(UInt64(number), byteCount: 10_000))
          }
        }
        #expect(error == .poolFull)
        #expect(kept.count > 24)
        try rig.journal.sync(through: rig.journal.end)
        try rig.journal.trim(before: kept[kept.count - 5].extent.end)
        kept.removeFirst(kept.count - 4)
      }
    }
    let rig = try JournalRig("\(disk.path)/pool", configuration: configuration)
    #expect(try rig.recover().records == kept)
  }

  @Test func `Segments are recycled for ever, and old records never come back`() throws {
    let directory = try TemporaryDirectory()
    var rig = try JournalRig(directory.path)
    try rig.recover()
    var kept: [SeenRecord] = []
    for number in 1...600 {
      kept.append(try rig.append(UInt64(number), byteCount: 3000 + number % 50))
      if number % 40 == 0 {
        try rig.journal.sync(through: rig.journal.end)
        try rig.journal.trim(before: kept[kept.count - 11].extent.end)
        kept.removeFirst(kept.count - 10)
        #expect(try rig.segmentPaths.count <= 8)
      }
      if number % 150 == 0 {
        rig = try JournalRig(directory.path)
        #expect(try rig.recover().records == kept)
      }
    }
  }

  @Test func `Trimming everything leaves an empty journal at the same position`() throws {
    let directory = try TemporaryDirectory()
    let rig = try JournalRig(directory.path)
    try rig.recover()
    for number in 1...50 { try rig.append(UInt64(number), byteCount: 2000) }
    let end = rig.journal.end
    try rig.journal.trim(before: end)
    #expect(rig.journal.usedByteCount == 0)
    let again = try JournalRig(directory.path)
    let (records, recovery) = try again.recover()
    #expect(records.isEmpty)
    #expect(recovery.end == end)
    try again.journal.trim(before: .zero)
    #expect(again.journal.trimPosition == end)
  }

  @Test func `A read of a trimmed record says that it is stale`() throws {
    let directory = try TemporaryDirectory()
    let rig = try JournalRig(directory.path)
    try rig.recover()
    let first = try rig.append(1)
    for number in 2...300 { try rig.append(UInt64(number)) }
    try rig.journal.trim(before: rig.journal.end)
    let error = #expect(throws: StoreError.self) { try rig.read(first.extent, byteCount: 300) }
    guard case .io(let failure)? = error else {
      Issue.record("expected an error of the system")
      return
    }
    #expect(failure.errorNumber == ESTALE)
  }

  @Test func `Records tell what was synced before them`() throws {
    let directory = try TemporaryDirectory()
    do {
      let rig = try JournalRig(directory.path)
      try rig.recover()
      for number in 1...3 { try rig.append(UInt64(number)) }
      try rig.journal.sync(through: rig.journal.end)
      for number in 4...6 { try rig.append(UInt64(number)) }
    }
    let rig = try JournalRig(directory.path)
    var isBeforeBarrier: [Bool] = []
    let recovery = try rig.journal.recover { _, _, extent, barrier in
      isBeforeBarrier.append(extent.end <= barrier)
      return true
    }
    #expect(isBeforeBarrier == [true, true, true, false, false, false])
    #expect(rig.journal.synced == recovery.end)
  }

  @Test func `A record that its reader rejects ends the journal, and never comes back`() throws {
    let directory = try TemporaryDirectory()
    var appended: [SeenRecord] = []
    do {
      let rig = try JournalRig(directory.path)
      try rig.recover()
      for number in 1...100 { appended.append(try rig.append(UInt64(number), byteCount: 2000)) }
    }
    let replacement: SeenRecord
    do {
      let rig = try JournalRig(directory.path)
      let recovery = try rig.journal.recover { identity, _, _, _ in identity.lsn < LSN(50) }
      #expect(recovery.recordCount == 49)
      #expect(recovery.end == appended[48].extent.end)
      #expect(recovery.stoppedAt != nil)
      replacement = try rig.append(1000, byteCount: 2000)
      #expect(replacement.extent == appended[49].extent)
    }
    #expect(
      try JournalRig(directory.path).recover().records == Array(appended[..<49]) + [replacement])
  }

  @Test func `Many threads append and sync, and each finds its records`() async throws {
    let directory = try TemporaryDirectory()
    let rig = try JournalRig(
      directory.path,
      configuration: JournalConfiguration(budgetByteCount: 8 << 20, segmentByteCount: 256 << 10))
    try rig.recover()
    let appended = try await withThrowingTaskGroup(of: [SeenRecord].self) { group in
      for task in 0..<8 {
        group.addTask {
          try (1...100).map { round in
            let number = UInt64(task * 1000 + round)
            let record = try rig.append(number, byteCount: 100 + round * 7)
            try rig.journal.sync(through: record.extent.end)
            #expect(rig.journal.synced >= record.extent.end)
            return record
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    rig.journal.close()
    let records = try JournalRig(directory.path, configuration: rig.journal.configuration)
      .recover().records
    #expect(records == appended.sorted { $0.extent.end < $1.extent.end })
  }

  @Test func `A sync carries out segment data even if the journal is synced already`() throws {
    let directory = try TemporaryDirectory()
    let rig = try JournalRig(directory.path)
    try rig.recover()
    let end = try rig.append(1).extent.end
    try rig.journal.sync(through: end)
    try payload(1, byteCount: 4096).withBytes { (bytes) throws(StoreError) in
      try rig.segments.write(
        bytes, volume: volume, at: SegmentLocation(segment: 0, offsetBytes: 0))
    }
    #expect(rig.segments.unsyncedFileCount == 1)
    try rig.journal.sync(through: end)
    #expect(rig.segments.unsyncedFileCount == 0)
  }

  @Test func `After a failed sync nothing is acknowledged any more`() throws {
    let directory = try TemporaryDirectory()
    let rig = try JournalRig(directory.path)
    try rig.recover()
    try rig.journal.sync(through: try rig.append(1).extent.end)
    let unsynced = try rig.append(2).extent.end
    let file = try #require(rig.journal.live.withLock { $0.last?.file })
    let saved = dup(file.descriptor)
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    // fdatasync(2) of a pipe fails with EINVAL: a real failure of the real call.
    dup2(ends[1], file.descriptor)
    #expect(throws: StoreError.self) { try rig.journal.sync(through: unsynced) }
    dup2(saved, file.descriptor)
    for descriptor in [saved] + ends { close(descriptor) }
    let error = #expect(throws: StoreError.self) { try rig.journal.sync(through: unsynced) }
    guard case .readOnly? = error else {
      Issue.record("expected the journal to be read-only")
      return
    }
    #expect(throws: StoreError.self) { try rig.append(3) }
    #expect(rig.journal.failureReason != nil)
    rig.journal.close()
    #expect(try JournalRig(directory.path).recover().records.count == 2)
  }
}
