import IOSeams
import StorageModel

/// A volume in memory: the contract of `VolumeStore` and nothing else.
struct MemoryStore: VolumeStore {
  enum Block: Equatable {
    case allocated
    case data([UInt8])
  }

  let blockSize: BlockSize
  var capacityBlocks: UInt64
  /// Bits of a name's hash that count: few bits make names collide.
  var hashBitCount: UInt64 = 64
  /// Commits that succeed before all fail; nil for ever.
  var commitsUntilFailure: Int?
  /// Bytes of "segments" that extents refer to, by segment number.
  var segments: [UInt32: [UInt8]] = [:]

  private(set) var keys: [StoreKey: [UInt8]] = [:]
  private(set) var objects: [ObjectNumber: [UInt64: Block]] = [:]
  private(set) var usedBlocks: UInt64 = 0
  private(set) var commitCount = 0
  /// The largest count of blocks that one commit freed.
  private(set) var largestFree: UInt64 = 0
  var valueCallCount: Int { notes.valueCalls }

  /// What reading changes.
  private final class Notes {
    var valueCalls = 0
    /// Until the next commit.
    var sortedKeys: [StoreKey]?
  }
  private let notes = Notes()

  init(blockSize: BlockSize = .standard, capacityBlocks: UInt64 = 4096) {
    self.blockSize = blockSize
    self.capacityBlocks = capacityBlocks
  }

  func value(for key: StoreKey) throws(StoreError) -> [UInt8]? {
    notes.valueCalls += 1
    return keys[key]
  }

  func scan(
    from lower: StoreKey, to upper: StoreKey,
    _ visit: (_ key: StoreKey, _ value: [UInt8]) -> Bool
  ) throws(StoreError) {
    let sorted = notes.sortedKeys ?? keys.keys.sorted()
    notes.sortedKeys = sorted
    var (start, end) = (0, sorted.count)
    while start < end {
      let middle = (start + end) / 2
      if sorted[middle] < lower { start = middle + 1 } else { end = middle }
    }
    while start < sorted.count, sorted[start] < upper {
      guard let value = keys[sorted[start]], visit(sorted[start], value) else { return }
      start += 1
    }
  }

  func nameHash(_ name: [UInt8]) -> UInt64 {
    let hash = name.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return hashBitCount == 64 ? hash : (hash ^ hash >> 32) << (64 - hashBitCount)
  }

  func firstBlock(
    in object: ObjectNumber, from block: BlockNumber, below limit: BlockNumber, mapped: Bool
  ) throws(StoreError) -> BlockNumber? {
    let blocks = objects[object] ?? [:]
    func isMapped(_ number: UInt64) -> Bool {
      if case .data = blocks[number] { true } else { false }
    }
    if mapped {
      return blocks.keys.filter { $0 >= block.rawValue && $0 < limit.rawValue && isMapped($0) }
        .min().map { BlockNumber($0) }
    }
    var number = block.rawValue
    while number < limit.rawValue, isMapped(number) { number += 1 }
    return number < limit.rawValue ? BlockNumber(number) : nil
  }

  func occupiedBlocks(
    of object: ObjectNumber, in range: Range<UInt64>
  ) throws(StoreError) -> UInt64 {
    UInt64((objects[object] ?? [:]).keys.count { range.contains($0) })
  }

  mutating func commit(_ transaction: Transaction) throws(StoreError) -> CommitReceipt {
    if let remaining = commitsUntilFailure {
      guard remaining > 0 else {
        throw .io(IOFailure(operation: "append to the journal", errorNumber: 5))
      }
      commitsUntilFailure = remaining - 1
    }
    let before = objects
    do {
      for mutation in transaction.mutations { try apply(mutation) }
      try countBlocks()
    } catch {
      objects = before
      throw error
    }
    for case .put(let key, let value) in transaction.mutations { keys[key] = value }
    for case .delete(let key) in transaction.mutations { keys[key] = nil }
    notes.sortedKeys = nil
    commitCount += 1
    return CommitReceipt(lsn: LSN(UInt64(commitCount)), end: JournalPosition(UInt64(commitCount)))
  }

  /// Counts the blocks that data mutations have left; throws if they are too many.
  private mutating func countBlocks() throws(StoreError) {
    let used = objects.values.reduce(UInt64(0)) { $0 + UInt64($1.count) }
    guard used <= max(capacityBlocks, usedBlocks) else {
      throw .noSpace(
        neededBlocks: used - usedBlocks, availableBlocks: capacityBlocks - usedBlocks)
    }
    largestFree = max(largestFree, usedBlocks - min(usedBlocks, used))
    usedBlocks = used
  }

  /// The bytes of an object, holes and allocated blocks as zeros.
  func bytes(of object: ObjectNumber, at offset: Int, count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let size = blockSize.byteCount
    for (number, block) in objects[object] ?? [:] {
      let start = max(offset, Int(number) * size)
      let end = min(offset + count, (Int(number) + 1) * size)
      guard case .data(let content) = block, start < end else { continue }
      let first = Int(number) * size
      content.withUnsafeBytes {
        bytes.overwrite(
          from: start - offset,
          with: UnsafeRawBufferPointer(rebasing: $0[start - first..<end - first]))
      }
    }
    return bytes
  }

  /// Puts bytes where a key belongs, as rot would.
  mutating func overwrite(_ key: StoreKey, with bytes: [UInt8]?) {
    notes.sortedKeys = nil
    keys[key] = bytes
  }

  private mutating func apply(_ mutation: Mutation) throws(StoreError) {
    switch mutation {
    case .put(let key, _), .delete(let key):
      guard key.bytes.count <= StoreKey.maximumByteCount else { throw .invalid("key too long") }
    case .write(let object, let offset, let bytes):
      guard bytes.count <= Transaction.maximumInlineByteCount else { throw .invalid("too long") }
      let blockSize = blockSize
      change(object, offset, UInt64(bytes.count)) { block, range, start in
        var content = Self.content(block, blockSize)
        content.overwrite(
          from: range.lowerBound,
          with: UnsafeRawBufferPointer(rebasing: bytes[start..<start + range.count]))
        return .data(content)
      }
    case .map(let object, let first, let extent):
      guard let segment = segments[extent.location.segment] else { throw .invalid("no segment") }
      for index in 0..<extent.blockCount {
        let start = Int(extent.location.offsetBytes) + index * blockSize.byteCount
        objects[object, default: [:]][first.rawValue + UInt64(index)] =
          .data(Array(segment[start..<start + blockSize.byteCount]))
      }
    case .zero(let object, let offset, let count): zero(object, offset, count)
    case .allocate(let object, let first, let count):
      guard count <= capacityBlocks else {
        throw .noSpace(neededBlocks: count, availableBlocks: capacityBlocks - usedBlocks)
      }
      for number in first.rawValue..<first.rawValue + count
      where objects[object]?[number] == nil {
        objects[object, default: [:]][number] = .allocated
      }
    }
    if case .zero(let object, _, _) = mutation, objects[object]?.isEmpty ?? false {
      objects[object] = nil
    }
  }

  private static func content(_ block: Block?, _ blockSize: BlockSize) -> [UInt8] {
    if case .data(let bytes) = block {
      bytes
    } else {
      Array(repeating: 0, count: blockSize.byteCount)
    }
  }

  private mutating func zero(_ object: ObjectNumber, _ offset: UInt64, _ count: UInt64) {
    let size = UInt64(blockSize.byteCount)
    for (number, block) in objects[object] ?? [:] {
      let start = max(offset, number * size)
      let end = min(offset + count, (number + 1) * size)
      guard start < end else { continue }
      if end - start == size {
        objects[object]?[number] = nil
      } else if case .data(var bytes) = block {
        let range = Int(start - number * size)..<Int(end - number * size)
        bytes.clear(range)
        objects[object]?[number] = .data(bytes)
      }
    }
  }

  private mutating func change(
    _ object: ObjectNumber, _ offset: UInt64, _ count: UInt64,
    _ body: (_ block: Block?, _ range: Range<Int>, _ start: Int) -> Block
  ) {
    let size = UInt64(blockSize.byteCount)
    var position = offset
    while position < offset + count {
      let number = position / size
      let end = min(offset + count, (number + 1) * size)
      let range = Int(position - number * size)..<Int(end - number * size)
      objects[object, default: [:]][number] =
        body(objects[object]?[number], range, Int(position - offset))
      position = end
    }
  }
}
