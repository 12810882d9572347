import DiskFormat
import IOSeams
import StorageEngine
import StorageModel
import Testing

struct CommitTests {
  @Test func `a new volume is durable and empty`() throws {
    let pool = try TestPool()
    #expect(pool.journal.synced == pool.journal.end)
    #expect(pool.engine.state.lastLSN == LSN(1))
    #expect(pool.engine.usedBlocks == 0)
    #expect(try pool.read(0, 12345, 10000) == [UInt8](repeating: 0, count: 10000))
    #expect(try VolumeCatalogue.descriptions(in: pool.index) == [pool.description])
  }

  @Test func `the last free block can be written and the one after it not`() throws {
    var pool = try TestPool(capacityBlocks: 10)
    try pool.write(1, 0, [UInt8](repeating: 1, count: 9 * 4096))
    #expect(throws: StoreError.noSpace(neededBlocks: 2, availableBlocks: 1)) {
      try pool.write(1, 9 * 4096, [UInt8](repeating: 2, count: 4097))
    }
    #expect(pool.engine.usedBlocks == 9)
    try pool.write(1, 9 * 4096, [UInt8](repeating: 2, count: 4096))
    #expect(pool.engine.usedBlocks == 10)
    #expect(throws: StoreError.noSpace(neededBlocks: 1, availableBlocks: 0)) {
      try pool.commit([
        .allocate(object: ObjectNumber(2), firstBlock: .zero, blockCount: 1)
      ])
    }
    try pool.write(1, 5, [UInt8](repeating: 3, count: 20000))
    try pool.commit([.put(key: StoreKey([1]), value: [1])])
    try pool.commit([.zero(object: ObjectNumber(1), offsetBytes: 0, byteCount: 4096)])
    try pool.write(2, 0, [4])
    #expect(pool.engine.usedBlocks == 10)
    _ = try pool.engine.expand(toBytes: 11 * 4096)
    try pool.write(2, 4096, [5])
    #expect(pool.engine.usedBlocks == 11)
  }

  @Test func `a transaction that frees what it needs fits`() throws {
    var pool = try TestPool(capacityBlocks: 2)
    try pool.write(1, 0, [UInt8](repeating: 1, count: 8192))
    let bytes = [UInt8](repeating: 2, count: 8192)
    try bytes.withUnsafeBytes { bytes in
      _ = try pool.commit([
        .zero(object: ObjectNumber(1), offsetBytes: 0, byteCount: .max),
        .write(object: ObjectNumber(2), offsetBytes: 0, bytes: bytes),
      ])
    }
    #expect(try pool.read(2, 0, 8192) == bytes)
    #expect(pool.engine.usedBlocks == 2)
  }

  @Test(arguments: [0, 65])
  func `a key of a wrong length is refused`(byteCount: Int) throws {
    var pool = try TestPool()
    #expect(throws: StoreError.self) {
      try pool.commit([.delete(key: StoreKey([UInt8](repeating: 1, count: byteCount)))])
    }
    #expect(pool.engine.state.lastLSN == LSN(1))
  }

  @Test(
    arguments: [(UInt64.max, 1), ((1 << 63) - 4096, 8192), (0, (1 << 20) + 1)] as [(UInt64, Int)])
  func `a write outside the bounds is refused`(offset: UInt64, byteCount: Int) throws {
    var pool = try TestPool()
    #expect(throws: StoreError.self) {
      try pool.write(1, offset, [UInt8](repeating: 1, count: byteCount))
    }
  }

  @Test func `an extent that was not reserved, or was mapped before, is refused`() throws {
    var pool = try TestPool()
    let (_, extent) = try pool.prepare(1, 0, [UInt8](repeating: 1, count: 8192))
    let map = Mutation.map(object: ObjectNumber(1), firstBlock: .zero, extent: extent)
    try pool.commit([map])
    #expect(throws: StoreError.self) { try pool.commit([map]) }
  }

  @Test func `a failed append changes nothing and its nonces are not used again`() throws {
    var pool = try TestPool(encrypts: true)
    try pool.write(1, 0, [1, 2, 3])
    pool.journal.failAppends(1)
    #expect(throws: StoreError.self) { try pool.write(1, 0, [4, 5, 6]) }
    #expect(try pool.read(1, 0, 3) == [1, 2, 3])
    try pool.write(1, 0, [7, 8, 9])
    #expect(try pool.read(1, 0, 3) == [7, 8, 9])
    #expect(pool.ledger.reuses == [])
  }

  @Test func `a failed index write stops the volume`() throws {
    var pool = try TestPool()
    try pool.write(1, 0, [1, 2, 3])
    pool.index.failWrites(true)
    #expect(throws: StoreError.self) { try pool.write(1, 0, [4, 5, 6]) }
    pool.index.failWrites(false)
    #expect(pool.engine.readOnlyReason != nil)
    #expect(throws: StoreError.self) { try pool.write(1, 0, [4, 5, 6]) }
    #expect(try pool.read(1, 0, 3) == [1, 2, 3])
    // The record was journaled, so recovery finds it.
    try pool.recover()
    #expect(try pool.read(1, 0, 3) == [4, 5, 6])
  }

  @Test func `keys are written without a look-up before the first snapshot`() throws {
    var pool = try TestPool()
    let before = pool.index.readCount
    try pool.commit([
      .put(key: StoreKey([1]), value: [1]), .put(key: StoreKey([2]), value: [2]),
      .delete(key: StoreKey([3])),
    ])
    #expect(pool.index.readCount == before)
  }

  @Test func `one transaction can write a block twice and keep both parts`() throws {
    for encrypts in [false, true] {
      var pool = try TestPool(encrypts: encrypts)
      try [UInt8](repeating: 7, count: 100).withUnsafeBytes { bytes in
        _ = try pool.commit([
          .write(object: ObjectNumber(1), offsetBytes: 0, bytes: bytes),
          .write(object: ObjectNumber(1), offsetBytes: 200, bytes: bytes),
          .zero(object: ObjectNumber(1), offsetBytes: 50, byteCount: 10),
        ])
      }
      let block = try pool.read(1, 0, 4096)
      let sevens = block.indices.filter { block[$0] == 7 }
      #expect(sevens == Array(0..<50) + Array(60..<100) + Array(200..<300))
      #expect(pool.engine.usedBlocks == 1)
    }
  }

  @Test func `a huge hole is made at the cost of what exists`() throws {
    var pool = try TestPool()
    try pool.write(1, 1 << 40, [1])
    try pool.commit([.zero(object: ObjectNumber(1), offsetBytes: 1, byteCount: .max - 1)])
    #expect(pool.engine.usedBlocks == 0)
  }
}

struct CorruptionTests {
  /// Where the only run of the object's first chunk lies.
  private func place(_ pool: TestPool, _ object: UInt64) throws -> BlockPlace? {
    try pool.engine.resolve(ObjectNumber(object), offsetBytes: 0, byteCount: 4096).pieces.first?
      .place
  }

  @Test(arguments: [false, true], [4096, 16384])
  func `a flipped bit in a segment is found in its block and in no other`(
    encrypts: Bool, blockByteCount: Int
  ) throws {
    var pool = try TestPool(encrypts: encrypts, blockByteCount: blockByteCount)
    let bytes = (0..<20 * blockByteCount).map { UInt8(truncatingIfNeeded: $0 / 11) }
    try pool.writeDirectly(17, 0, bytes)
    guard case .segment(let location) = try place(pool, 17) else {
      Issue.record("not in a segment")
      return
    }
    pool.segments.corrupt(
      volume: TestPool.volume, at: location.advanced(byByteCount: 3 * blockByteCount + 77))
    let damaged = BlockAddress(object: ObjectNumber(17), block: BlockNumber(3))
    #expect(throws: ReadFailure.corrupt(damaged)) { try pool.read(17, 0, bytes.count) }
    #expect(throws: ReadFailure.corrupt(damaged)) {
      try pool.read(17, UInt64(3 * blockByteCount) + 5, 1)
    }
    #expect(damaged.corruption.place == "object 17, block 3")
    let before = try pool.read(17, 0, 3 * blockByteCount)
    #expect(before == Array(bytes[..<(3 * blockByteCount)]))
    let after = try pool.read(17, UInt64(4 * blockByteCount), 16 * blockByteCount)
    #expect(after == Array(bytes[(4 * blockByteCount)...]))
    // To keep a part of the block it would have to be believed.
    #expect(throws: StoreError.corrupt(damaged.corruption)) {
      try pool.write(17, UInt64(3 * blockByteCount), [1])
    }
    #expect(pool.engine.corruptBlocks == [damaged])
    try pool.write(
      17, UInt64(3 * blockByteCount), [UInt8](repeating: 9, count: blockByteCount))
    #expect(pool.engine.corruptBlocks == [])
    #expect(try pool.read(17, UInt64(3 * blockByteCount), 1) == [9])
  }

  @Test func `a flipped bit in the journal is found`() throws {
    var pool = try TestPool()
    try pool.write(17, 0, [UInt8](repeating: 1, count: 8192))
    guard case .journal(let position) = try place(pool, 17) else {
      Issue.record("not in the journal")
      return
    }
    pool.journal.corrupt(at: position.advanced(byByteCount: 5000))
    let damaged = BlockAddress(object: ObjectNumber(17), block: BlockNumber(1))
    #expect(throws: ReadFailure.corrupt(damaged)) { try pool.read(17, 0, 8192) }
  }

  @Test func `a plan that is out of date differs from the one that replaces it`() throws {
    var pool = try TestPool()
    try pool.write(17, 0, [UInt8](repeating: 1, count: 4096))
    let old = try pool.engine.resolve(ObjectNumber(17), offsetBytes: 0, byteCount: 4096)
    #expect(old == (try pool.engine.resolve(ObjectNumber(17), offsetBytes: 0, byteCount: 4096)))
    try pool.checkpoint()
    #expect(old != (try pool.engine.resolve(ObjectNumber(17), offsetBytes: 0, byteCount: 4096)))
    #expect(try pool.read(17, 0, 4096) == [UInt8](repeating: 1, count: 4096))
  }
}
