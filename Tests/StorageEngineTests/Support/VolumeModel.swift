import StorageModel

/// What a volume must hold, told in the simplest way.
struct ModelVolume {
  var blockByteCount: Int
  var keys: [StoreKey: [UInt8]] = [:]
  /// Blocks that occupy space; nil for those allocated without data.
  var blocks: [ObjectNumber: [UInt64: [UInt8]?]] = [:]

  var usedBlocks: UInt64 { blocks.values.reduce(0) { $0 + UInt64($1.count) } }

  mutating func apply(_ transaction: Transaction, direct: [UInt8] = []) {
    for mutation in transaction.mutations {
      switch mutation {
      case .put(let key, let value): keys[key] = value
      case .delete(let key): keys[key] = nil
      case .write(let object, let offset, let bytes):
        write(object, offset, Array(bytes))
      case .map(let object, let first, _):
        write(object, first.rawValue * UInt64(blockByteCount), direct)
      case .zero(let object, let offset, let count): zero(object, offset, count)
      case .allocate(let object, let first, let count):
        for block in first.rawValue..<first.rawValue + count
        where blocks[object]?[block] == nil {
          blocks[object, default: [:]][block] = .some(nil)
        }
      }
    }
  }

  private mutating func write(_ object: ObjectNumber, _ offset: UInt64, _ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let at = offset + UInt64(done)
      let inBlock = Int(at % UInt64(blockByteCount))
      let count = min(blockByteCount - inBlock, bytes.count - done)
      let number = at / UInt64(blockByteCount)
      var block =
        (blocks[object]?[number] ?? nil) ?? [UInt8](repeating: 0, count: blockByteCount)
      block.replaceSubrange(inBlock..<inBlock + count, with: bytes[done..<done + count])
      blocks[object, default: [:]][number] = block
      done += count
    }
  }

  private mutating func zero(_ object: ObjectNumber, _ offset: UInt64, _ count: UInt64) {
    guard count > 0 else { return }
    let size = UInt64(blockByteCount)
    let (sum, overflows) = offset.addingReportingOverflow(count)
    let end = overflows ? UInt64.max : sum
    for (number, data) in blocks[object] ?? [:] {
      let lower = max(offset, number * size)
      let upper = min(end, (number + 1) * size)
      guard lower < upper else { continue }
      if upper - lower == size {
        blocks[object]?[number] = nil
        if blocks[object]?.isEmpty == true { blocks[object] = nil }
      } else if var data {
        for index in Int(lower - number * size)..<Int(upper - number * size) { data[index] = 0 }
        blocks[object]?[number] = data
      }
    }
  }

  func read(_ object: ObjectNumber, _ offset: UInt64, _ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    let size = UInt64(blockByteCount)
    while bytes.count < count {
      let at = offset + UInt64(bytes.count)
      let inBlock = Int(at % size)
      let length = min(blockByteCount - inBlock, count - bytes.count)
      if let block = blocks[object]?[at / size] ?? nil {
        bytes += block[inBlock..<inBlock + length]
      } else {
        bytes += [UInt8](repeating: 0, count: length)
      }
    }
    return bytes
  }

  func isMapped(_ object: ObjectNumber, _ block: UInt64) -> Bool {
    (blocks[object]?[block] ?? nil) != nil
  }
}
