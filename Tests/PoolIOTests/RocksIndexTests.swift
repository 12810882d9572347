import IOSeams
import StorageModel
import Testing

@testable import PoolIO

@Suite struct RocksIndexTests {
  private func key(_ number: Int) -> [UInt8] {
    [UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
  }

  private func put(_ index: RocksIndex, _ range: Range<Int>, byteCount: Int = 100) throws {
    var batch = IndexBatch()
    for number in range { batch.put(key(number), payload(UInt64(number), byteCount: byteCount)) }
    try index.write(batch)
  }

  private func numbers(_ index: RocksIndex, _ range: Range<Int>) throws -> [Int] {
    var found: [Int] = []
    try index.scan(from: key(range.lowerBound), to: key(range.upperBound)) { key, _ in
      found.append(Int(key[0]) << 16 | Int(key[1]) << 8 | Int(key[2]))
      return true
    }
    return found
  }

  @Test func `A batch is read by key and by range, in order`() throws {
    let directory = try TemporaryDirectory()
    let index = try RocksIndex(directory: directory.path)
    #expect(try index.value(for: key(1)) == nil)
    try put(index, 0..<100)
    #expect(try index.value(for: key(7)) == payload(7, byteCount: 100))
    #expect(try numbers(index, 10..<20) == Array(10..<20))
    #expect(try numbers(index, 20..<20) == [])
    try index.scan(from: key(20), to: key(10)) { _, _ in
      Issue.record("an empty range has no keys")
      return true
    }
    var visited = 0
    try index.scan(from: key(0), to: key(100)) { _, value in
      #expect(value.elementsEqual(payload(UInt64(visited), byteCount: 100)))
      visited += 1
      return visited < 5
    }
    #expect(visited == 5)
  }

  @Test func `Deletions and deleted ranges are gone, in the order of the batch`() throws {
    let directory = try TemporaryDirectory()
    let index = try RocksIndex(directory: directory.path)
    try put(index, 0..<100)
    var batch = IndexBatch()
    batch.deleteRange(key(10), key(90))
    batch.put(key(50), [1])
    batch.delete(key(95))
    batch.put(key(200), [])
    try index.write(batch)
    #expect(
      try numbers(index, 0..<300) == Array(0..<10) + [50] + [90, 91, 92, 93, 94] + Array(96..<100)
        + [200])
    #expect(try index.value(for: key(50)) == [1])
    #expect(try index.value(for: key(200)) == [])
    #expect(try index.value(for: key(95)) == nil)
    try index.write(IndexBatch())
  }

  @Test func `What was not flushed is gone after closing: the journal has it`() throws {
    let directory = try TemporaryDirectory()
    do {
      let index = try RocksIndex(directory: directory.path)
      try put(index, 0..<100)
      index.close()
    }
    let index = try RocksIndex(directory: directory.path)
    #expect(try numbers(index, 0..<1000) == [])
  }

  @Test func `A flush makes what came before durable, and nothing that came later`() throws {
    let directory = try TemporaryDirectory()
    for round in 0..<5 {
      let index = try RocksIndex(directory: directory.path)
      let first = round * 1000
      #expect(try numbers(index, 0..<100_000).count == round * 500)
      try put(index, first..<first + 500)
      #expect(index.memtableByteCount > 500 * 100)
      try index.beginFlush()
      #expect(index.memtableByteCount == 0)
      try put(index, first + 500..<first + 1000)
      try index.waitFlushed()
      #expect(try numbers(index, first..<first + 1000).count == 1000)
    }
    let index = try RocksIndex(directory: directory.path)
    try index.beginFlush()
    try index.waitFlushed()
    #expect(
      try numbers(index, 0..<100_000) == (0..<5).flatMap { Array($0 * 1000..<$0 * 1000 + 500) })
  }

  @Test func `Nothing is flushed on its own, however much is written`() throws {
    let directory = try TemporaryDirectory()
    do {
      let index = try RocksIndex(directory: directory.path)
      let value = [UInt8](repeating: 7, count: 1 << 20)
      for number in 0..<100 {
        var batch = IndexBatch()
        batch.put(key(number), value)
        try index.write(batch)
      }
      #expect(index.memtableByteCount > 100 << 20)
      #expect(try names(in: directory.path).filter { $0.hasSuffix(".sst") }.isEmpty)
    }
    #expect(try numbers(try RocksIndex(directory: directory.path), 0..<100_000) == [])
  }

  @Test func `A rotten table is reported as corruption`() throws {
    let directory = try TemporaryDirectory()
    do {
      let index = try RocksIndex(directory: directory.path)
      try put(index, 0..<2000)
      try index.beginFlush()
      try index.waitFlushed()
    }
    let table = try #require(try names(in: directory.path).first { $0.hasSuffix(".sst") })
    try changeFile("\(directory.path)/\(table)") { $0[5000] ^= 1 }
    let index = try RocksIndex(directory: directory.path)
    let error = #expect(throws: StoreError.self) {
      for number in 0..<2000 { _ = try index.value(for: key(number)) }
    }
    guard case .corrupt? = error else {
      Issue.record("expected corruption")
      return
    }
    #expect(throws: StoreError.self) { try numbers(index, 0..<2000) }
  }

  @Test func `A directory that cannot be used is an error with its reason`() throws {
    let directory = try TemporaryDirectory()
    try writeFile("\(directory.path)/file", [1])
    let error = #expect(throws: StoreError.self) {
      try RocksIndex(directory: "\(directory.path)/file")
    }
    guard case .io? = error else {
      Issue.record("expected an error of the system")
      return
    }
  }

  @Test(arguments: [
    ("Corruption: block checksum mismatch", "corrupt"),
    ("IO error: No space left on device: While appending", "poolFull"),
    ("IO error: While open: Permission denied", "io"), ("Busy: what", "io"),
  ])
  func `RocksDB's words become the store's errors`(text: String, kind: String) {
    let error = RocksIndex.storeError(text, "read")
    switch error {
    case .corrupt: #expect(kind == "corrupt")
    case .poolFull: #expect(kind == "poolFull")
    case .io: #expect(kind == "io")
    default: Issue.record("unexpected \(error)")
    }
    #expect(kind == "poolFull" || error.explanation.contains(text))
  }

  @Test func `Threads write and read at the same time`() async throws {
    let directory = try TemporaryDirectory()
    let index = try RocksIndex(directory: directory.path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<6 {
        group.addTask {
          for round in 0..<200 {
            let number = task * 1000 + round
            try put(index, number..<number + 1)
            #expect(try index.value(for: key(number)) == payload(UInt64(number), byteCount: 100))
          }
        }
      }
      group.addTask {
        for _ in 0..<5 {
          try index.beginFlush()
          try index.waitFlushed()
        }
      }
      try await group.waitForAll()
    }
    #expect(try numbers(index, 0..<100_000).count == 1200)
  }
}
