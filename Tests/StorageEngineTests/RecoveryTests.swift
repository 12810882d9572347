import DiskFormat
import IOSeams
import StorageEngine
import StorageModel
import Testing

struct RecoveryTests {
  @Test func `replay is idempotent`() throws {
    var pool = try TestPool()
    try pool.write(1, 0, [1, 2, 3])
    try pool.writeDirectly(2, 5, [UInt8](repeating: 5, count: 3 * 4096))
    try pool.commit([.put(key: StoreKey([1]), value: [1, 2])])
    for _ in 0..<3 {
      try pool.recover()
      #expect(try pool.read(1, 0, 3) == [1, 2, 3])
      #expect(try pool.read(2, 5 * 4096, 2) == [5, 5])
      #expect(try pool.engine.value(for: StoreKey([1])) == [1, 2])
      #expect(pool.engine.usedBlocks == 4)
    }
    #expect(pool.engine.state.incarnation == Incarnation(4))
  }

  @Test func `an older incarnation's record behind a newer one ends the journal`() throws {
    var pool = try TestPool()
    try pool.write(1, 0, [1])
    let stale = pool.journal.records[1]
    pool.journal.cut(at: stale.start)
    var generator = SeededGenerator(seed: 1)
    pool.crash(losesPower: false, using: &generator)
    try pool.recover()
    let identity = RecordIdentity(
      volume: TestPool.volume, epoch: .first, incarnation: Incarnation(1),
      lsn: pool.engine.state.lastLSN.next)
    let outcome = try stale.payload.withUnsafeBytes {
      try pool.engine.replay(
        identity, payload: $0, extent: stale.extent, barrier: pool.journal.synced)
    }
    guard case .stop = outcome else {
      Issue.record("the stale record was \(outcome)")
      return
    }
    #expect(try pool.read(1, 0, 1) == [0])
  }

  @Test func `a gap in the LSNs ends the journal`() throws {
    var pool = try TestPool()
    let receipt = try pool.write(1, 0, [1])
    let record = pool.journal.records[1]
    var identity = record.identity
    identity.lsn = LSN(receipt.lsn.rawValue + 2)
    let outcome = try record.payload.withUnsafeBytes {
      try pool.engine.replay(
        identity, payload: $0, extent: record.extent, barrier: .zero)
    }
    guard case .stop = outcome else {
      Issue.record("the record was \(outcome)")
      return
    }
  }

  @Test func `a gap before the barrier is damage, and the volume does not open`() throws {
    var pool = try TestPool()
    let receipt = try pool.write(1, 0, [1])
    let record = pool.journal.records[1]
    var identity = record.identity
    identity.lsn = LSN(receipt.lsn.rawValue + 2)
    let outcome = try record.payload.withUnsafeBytes {
      try pool.engine.replay(
        identity, payload: $0, extent: record.extent, barrier: record.extent.end)
    }
    guard case .damaged = outcome else {
      Issue.record("the record was \(outcome)")
      return
    }
    #expect(throws: StoreError.self) {
      try pool.engine.finishRecovery(journalEnd: pool.journal.end)
    }
  }

  @Test func `an index that is ahead of the journal is refused`() throws {
    var pool = try TestPool()
    let record = try pool.write(1, 0, [1])
    pool.index.flush()
    pool.journal.cut(at: pool.journal.records[1].start)
    #expect(record.end > pool.journal.end)
    #expect(throws: StoreError.self) { try pool.recover() }
  }

  @Test func `mapped data that a power cut took ends the journal before its record`() throws {
    var pool = try TestPool()
    try pool.write(1, 0, [1])
    let (_, extent) = try pool.prepare(2, 0, [UInt8](repeating: 5, count: 4096))
    try pool.commit([.map(object: ObjectNumber(2), firstBlock: .zero, extent: extent)])
    try pool.write(1, 0, [2])
    try pool.segments.free(
      volume: TestPool.volume, at: extent.location, byteCount: 4096)
    var generator = SeededGenerator(seed: 1)
    pool.index.crash(journalEnd: .zero, using: &generator)
    try pool.recover()
    #expect(try pool.read(1, 0, 1) == [1])
    #expect(try pool.read(2, 0, 1) == [0])
  }

  @Test func `a dropped volume stays dropped, whatever the index had flushed`() throws {
    for flushes in [false, true] {
      var pool = try TestPool()
      try pool.write(1, 0, [1])
      if flushes { pool.index.flush() }
      try pool.engine.drop()
      #expect(try VolumeCatalogue.descriptions(in: pool.index).isEmpty)
      #expect(throws: StoreError.self) { try pool.write(1, 0, [1]) }
      var generator = SeededGenerator(seed: 3)
      pool.index.crash(journalEnd: .zero, using: &generator)
      #expect(throws: TestPool.TestFailure.self) { try pool.recover() }
      #expect(pool.index.entries.isEmpty)
    }
  }

  @Test func `capacity survives a crash`() throws {
    var pool = try TestPool(capacityBlocks: 4)
    _ = try pool.engine.expand(toBytes: 8 * 4096)
    #expect(throws: StoreError.self) { _ = try pool.engine.expand(toBytes: 4096) }
    var generator = SeededGenerator(seed: 3)
    pool.crash(losesPower: false, using: &generator)
    try pool.recover()
    #expect(pool.engine.capacityBlocks == 8)
  }
}

struct GenerationTests {
  private func history(_ pool: TestPool, _ space: IndexKey.Space) -> [[UInt8]] {
    pool.index.entries.map(\.key).filter { $0.count > 16 && $0[16] == space.rawValue }
  }

  @Test func `the first overwrite after a snapshot keeps the old value, the second not`() throws {
    var pool = try TestPool()
    let keys = IndexKey(TestPool.volume)
    let key = StoreKey([1])
    try pool.commit([.put(key: key, value: [1])])
    _ = try pool.engine.snapshot()
    try pool.commit([.put(key: key, value: [2])])
    try pool.commit([.put(key: key, value: [3])])
    #expect(history(pool, .historyKey) == [keys.history(key, through: Generation(1))])
    _ = try pool.engine.snapshot()
    _ = try pool.engine.snapshot()
    try pool.commit([.delete(key: key)])
    #expect(
      history(pool, .historyKey) == [
        keys.history(key, through: Generation(1)), keys.history(key, through: Generation(3)),
      ])
    #expect(try pool.engine.value(for: key) == nil)
    // Born after the last snapshot: nothing to keep.
    try pool.commit([.put(key: StoreKey([2]), value: [1])])
    try pool.commit([.delete(key: StoreKey([2]))])
    #expect(history(pool, .historyKey).count == 2)
  }

  @Test func `blocks that a snapshot can see keep their space, others give it back`() throws {
    var pool = try TestPool()
    let keys = IndexKey(TestPool.volume)
    try pool.writeDirectly(1, 0, [UInt8](repeating: 1, count: 4 * 4096))
    _ = try pool.engine.snapshot()
    try pool.writeDirectly(1, 0, [UInt8](repeating: 2, count: 2 * 4096))
    try pool.writeDirectly(1, 0, [UInt8](repeating: 3, count: 2 * 4096))
    try pool.checkpoint()
    // Four old blocks, two of the youngest; the two in between are gone.
    #expect(pool.segments.liveUnits.count == 6)
    #expect(pool.engine.usedBlocks == 4)
    #expect(
      history(pool, .historyChunk) == [
        keys.historyChunk(ObjectNumber(1), ChunkNumber(0), through: Generation(1))
      ])
    try pool.commit([.zero(object: ObjectNumber(1), offsetBytes: 0, byteCount: .max)])
    try pool.checkpoint()
    #expect(pool.segments.liveUnits.count == 4)
    #expect(pool.engine.usedBlocks == 0)
  }

  @Test func `blocks in the journal move home for the snapshot too`() throws {
    var pool = try TestPool()
    try pool.write(1, 0, [UInt8](repeating: 1, count: 8192))
    _ = try pool.engine.snapshot()
    try pool.write(1, 0, [UInt8](repeating: 2, count: 4096))
    try pool.checkpoint()
    #expect(pool.engine.journalFloor == nil)
    #expect(pool.segments.liveUnits.count == 3)
    let places = try pool.index.entries.filter { $0.key.count > 16 && $0.key[16] == 0x50 }
      .flatMap { entry in
        try entry.value.withUnsafeBytes { try Chunk.decode($0, tagByteCount: 8) }.runs
      }.map(\.place)
    #expect(places.count == 2 || places.count == 1)
    for place in places {
      guard case .segment = place else {
        Issue.record("\(place)")
        continue
      }
    }
  }

  @Test func `a generation survives a crash`() throws {
    var pool = try TestPool()
    _ = try pool.engine.snapshot()
    var generator = SeededGenerator(seed: 3)
    pool.crash(losesPower: false, using: &generator)
    try pool.recover()
    #expect(pool.engine.state.generation == Generation(2))
    #expect(pool.engine.state.generationStart == LSN(2))
  }
}

struct CheckpointPolicyTests {
  private let policy = CheckpointPolicy(
    journalCapacityByteCount: 1000, interval: .seconds(300), freedByteCount: 50)

  @Test(arguments: [
    (0, 0, 0, false), (499, 299, 49, false), (500, 0, 0, true), (1, 300, 0, true),
    (0, 300, 0, false), (0, 0, 50, true),
  ])
  func `a checkpoint is due by size, by time and by freed space`(
    journal: UInt64, seconds: Int, freed: UInt64, isDue: Bool
  ) {
    #expect(
      policy.isDue(
        journalByteCount: journal, sinceLast: .seconds(seconds), freedByteCount: freed) == isDue)
  }
}
