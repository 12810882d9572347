import DiskFormat
import IOSeams
import StorageEngine
import StorageModel
import Testing

/// Random transactions, checkpoints and crashes against the model.
struct RandomOperationTests {
  @Test(arguments: 0..<12)
  func `what was synced survives any crash, and all that survives is a prefix`(
    seed: UInt64
  ) throws {
    var run = try RandomRun(
      seed: seed, encrypts: seed % 2 == 1, blockByteCount: seed % 3 == 2 ? 16384 : 4096,
      takesSnapshots: seed % 4 == 3)
    for _ in 0..<220 { try run.step() }
    try run.verify()
    #expect(run.pool.ledger.reuses == [])
    #expect(run.pool.segments.rewriteCount == 0)
  }
}

private struct RandomRun {
  var pool: TestPool
  private var generator: SeededGenerator
  private var model: ModelVolume
  /// The model after each record, by LSN.
  private var past: [UInt64: ModelVolume] = [:]
  private var syncedLSN: UInt64 = 0
  private let takesSnapshots: Bool
  private static let objects: UInt64 = 3
  private static let blocks: UInt64 = 200

  init(seed: UInt64, encrypts: Bool, blockByteCount: Int, takesSnapshots: Bool) throws {
    pool = try TestPool(
      encrypts: encrypts, blockByteCount: blockByteCount, capacityBlocks: 300)
    generator = SeededGenerator(seed: seed)
    model = ModelVolume(blockByteCount: blockByteCount)
    self.takesSnapshots = takesSnapshots
    remember()
    syncedLSN = pool.engine.state.lastLSN.rawValue
  }

  private mutating func remember() { past[pool.engine.state.lastLSN.rawValue] = model }

  private mutating func number(_ range: Range<UInt64>) -> UInt64 {
    UInt64.random(in: range, using: &generator)
  }

  private mutating func bytes(_ count: Int) -> [UInt8] {
    let base = UInt8(truncatingIfNeeded: generator.next())
    let stride = UInt8(truncatingIfNeeded: generator.next()) | 1
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      for index in 0..<count {
        buffer[index] = base &+ UInt8(truncatingIfNeeded: index / 7) &* stride
      }
      filled = count
    }
  }

  mutating func step() throws {
    switch number(0..<100) {
    case 0..<62: try commit()
    case 62..<72: try commitDirectly()
    case 72..<75: try abandon()
    case 75..<80: try verify()
    case 80..<84:
      try pool.journal.sync(through: pool.journal.end)
      syncedLSN = pool.engine.state.lastLSN.rawValue
    case 84..<87: try checkpoint(steps: .max)
    case 87..<90: try checkpoint(steps: Int(number(0..<12)))
    case 90..<92 where takesSnapshots:
      _ = try pool.engine.snapshot()
      remember()
    case 92..<94:
      pool.journal.failAppends(1)
      try commit()
      pool.journal.failAppends(0)
    default: try crash()
    }
  }

  private mutating func checkpoint(steps: Int) throws {
    try pool.checkpoint(steps: steps, limitByteCount: Int(number(1..<300)) << 10)
    if pool.journal.synced == pool.journal.end {
      syncedLSN = pool.engine.state.lastLSN.rawValue
    }
    if steps == .max {
      #expect(pool.engine.journalFloor == nil)
      try verifySpace()
    }
  }

  private mutating func commit() throws {
    var owned: [UnsafeMutableRawBufferPointer] = []
    defer { for buffer in owned { buffer.deallocate() } }
    var mutations: [Mutation] = []
    for _ in 0..<number(1..<5) { mutations.append(mutation(&owned)) }
    do {
      let before = pool.engine.state.lastLSN
      let receipt = try pool.commit(mutations)
      #expect(receipt.lsn == before.next)
      model.apply(Transaction(mutations))
      remember()
      #expect(pool.engine.usedBlocks == model.usedBlocks)
    } catch StoreError.noSpace(let needed, let available) {
      var wanted = model
      wanted.apply(Transaction(mutations))
      #expect(wanted.usedBlocks > 300)
      #expect(wanted.usedBlocks == model.usedBlocks + needed || needed > 300)
      #expect(available == 300 - model.usedBlocks)
    } catch StoreError.io {
      #expect(pool.engine.usedBlocks == model.usedBlocks)
    }
  }

  private mutating func mutation(_ owned: inout [UnsafeMutableRawBufferPointer]) -> Mutation {
    let object = ObjectNumber(number(0..<Self.objects))
    let size = UInt64(model.blockByteCount)
    let key = StoreKey([1, UInt8(number(0..<20))])
    switch number(0..<12) {
    case 0..<3: return .put(key: key, value: bytes(Int(number(0..<200))))
    case 3: return .delete(key: key)
    case 4..<8:
      let isAligned = number(0..<2) == 0
      let offset = number(0..<Self.blocks) * size + (isAligned ? 0 : number(0..<size))
      let count = isAligned ? number(1..<8) * size : number(0..<3 * size)
      let content = bytes(Int(count))
      let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(1, content.count), alignment: 1)
      owned.append(buffer)
      content.withUnsafeBytes { buffer.copyMemory(from: $0) }
      return .write(
        object: object, offsetBytes: offset,
        bytes: UnsafeRawBufferPointer(rebasing: buffer[..<content.count]))
    case 8..<11:
      let count = number(0..<6) == 0 ? UInt64.max : number(0..<40 * size)
      return .zero(
        object: object, offsetBytes: number(0..<Self.blocks * size), byteCount: count)
    default:
      return .allocate(
        object: object, firstBlock: BlockNumber(number(0..<Self.blocks)),
        blockCount: number(0..<30))
    }
  }

  private mutating func commitDirectly() throws {
    let object = number(0..<Self.objects)
    let first = number(0..<Self.blocks)
    let content = bytes(Int(number(1..<90)) * model.blockByteCount)
    let (reservation, extent) = try pool.prepare(object, first, content)
    let map = Mutation.map(
      object: ObjectNumber(object), firstBlock: BlockNumber(first), extent: extent)
    if number(0..<4) == 0 { try commit() }
    do {
      try pool.commit([map])
      model.apply(Transaction([map]), direct: content)
      remember()
    } catch StoreError.noSpace {
      try pool.engine.abandon(reservation)
    }
    #expect(pool.engine.usedBlocks == model.usedBlocks)
  }

  private mutating func abandon() throws {
    let content = bytes(Int(number(1..<20)) * model.blockByteCount)
    let (reservation, _) = try pool.prepare(0, 0, content)
    // One that is neither committed nor abandoned is for recovery to find.
    if number(0..<2) == 0 { try pool.engine.abandon(reservation) } else { try crash() }
  }

  private mutating func crash() throws {
    let losesPower = number(0..<2) == 0
    let last = pool.engine.state.lastLSN.rawValue
    pool.crash(losesPower: losesPower, using: &generator)
    try pool.recover()
    // The incarnation's own record is the last one now.
    let survivor = pool.engine.state.lastLSN.rawValue - 1
    #expect(survivor >= (losesPower ? syncedLSN : last))
    #expect(survivor <= last)
    guard let survived = past[survivor] else {
      Issue.record("no model of LSN \(survivor)")
      return
    }
    model = survived
    past = [:]
    remember()
    syncedLSN = pool.engine.state.lastLSN.rawValue
    try verify()
  }

  mutating func verify() throws {
    let engine = pool.engine
    #expect(engine.usedBlocks == model.usedBlocks)
    for key in (0..<20).map({ StoreKey([1, UInt8($0)]) }) {
      #expect(try engine.value(for: key) == model.keys[key])
    }
    var scanned: [StoreKey: [UInt8]] = [:]
    try engine.scan(from: StoreKey([0]), to: StoreKey([255])) { key, value in
      scanned[key] = value
      return true
    }
    #expect(scanned == model.keys)
    let size = model.blockByteCount
    for object in 0..<Self.objects {
      let whole = Int(Self.blocks + 100) * size
      let found = try pool.read(object, 0, whole)
      try expectEqual(found, model.read(ObjectNumber(object), 0, whole), object, 0)
      let offset = number(0..<Self.blocks * UInt64(size))
      let count = Int(number(0..<UInt64(20 * size)))
      let part = try pool.read(object, offset, count)
      try expectEqual(part, model.read(ObjectNumber(object), offset, count), object, offset)
      try verifyMapping(ObjectNumber(object))
    }
  }

  /// Stops the run at the first difference; a difference of whole arrays would take minutes.
  private func expectEqual(
    _ found: [UInt8], _ expected: [UInt8], _ object: UInt64, _ offset: UInt64
  ) throws {
    guard found != expected else { return }
    let first = zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? -1
    let block = (Int(offset) + first) / model.blockByteCount
    throw Difference(
      text: "object \(object), block \(block), LSN \(pool.engine.state.lastLSN), byte \(first): "
        + "\(found[first]) instead of \(expected[first])")
  }

  private struct Difference: Error { var text: String }

  private mutating func verifyMapping(_ object: ObjectNumber) throws {
    let start = number(0..<Self.blocks)
    let limit = start + number(0..<150)
    for mapped in [true, false] {
      let found = try pool.engine.firstBlock(
        in: object, from: BlockNumber(start), below: BlockNumber(limit), mapped: mapped)
      let expected = (start..<limit).first { model.isMapped(object, $0) == mapped }
      #expect(found?.rawValue == expected)
    }
    let occupied = try pool.engine.occupiedBlocks(of: object, in: start..<limit)
    let expected = (model.blocks[object] ?? [:]).keys.filter { (start..<limit).contains($0) }
    #expect(occupied == UInt64(expected.count))
  }

  /// After a whole checkpoint exactly the space that chunks refer to is in use.
  private func verifySpace() throws {
    var referenced: Set<MemorySegments.Unit> = []
    for (key, value) in pool.index.entries
    where key.count > 16 && (key[16] == 0x30 || key[16] == 0x50) {
      let chunk = try value.withUnsafeBytes {
        try Chunk.decode($0, tagByteCount: pool.sealer.tagByteCount)
      }
      for run in chunk.runs {
        guard case .segment(let location) = run.place else { continue }
        for offset in stride(
          from: 0, to: run.count * model.blockByteCount, by: MemorySegments.unitByteCount)
        {
          referenced.insert(
            MemorySegments.Unit(
              volume: TestPool.volume, location: location.advanced(byByteCount: offset)))
        }
      }
    }
    let leaked = pool.segments.liveUnits.subtracting(referenced)
    let lost = referenced.subtracting(pool.segments.liveUnits)
    guard leaked.isEmpty, lost.isEmpty else {
      throw Difference(text: "\(leaked.count) units leaked, \(lost.count) lost")
    }
  }
}
