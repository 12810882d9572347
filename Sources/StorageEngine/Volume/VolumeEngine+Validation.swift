import DiskFormat
import IOSeams
import StorageModel

extension VolumeEngine {
  /// Bytes that an object can have: offsets stay in the range of `off_t`.
  static var maximumObjectByteCount: UInt64 { (1 << 63) - (1 << 16) }
  /// The longest value of a key: an extended attribute with room.
  static var maximumValueByteCount: Int { 128 << 10 }

  /// Throws `.invalid` for what breaks a bound of the format.
  func validate(_ transaction: Transaction) throws(StoreError) {
    var inlineByteCount = 0
    for mutation in transaction.mutations {
      switch mutation {
      case .put(let key, let value):
        try validate(key)
        guard value.count <= Self.maximumValueByteCount else {
          throw .invalid(
            "a value has at most \(Self.maximumValueByteCount) bytes, this one \(value.count)")
        }
      case .delete(let key): try validate(key)
      case .write(_, let offsetBytes, let bytes):
        try validate(offsetBytes, UInt64(bytes.count))
        inlineByteCount += bytes.count
      case .map(_, let firstBlock, let extent): try validate(firstBlock, extent)
      case .zero: break
      case .allocate(_, let firstBlock, let blockCount):
        try validateBlocks(firstBlock, blockCount)
      }
    }
    guard inlineByteCount <= Transaction.maximumInlineByteCount else {
      throw .invalid(
        "a transaction carries at most \(Transaction.maximumInlineByteCount) bytes of data, "
          + "this one \(inlineByteCount)")
    }
  }

  private func validate(_ key: StoreKey) throws(StoreError) {
    guard (1...StoreKey.maximumByteCount).contains(key.bytes.count) else {
      throw .invalid(
        "a key has 1 to \(StoreKey.maximumByteCount) bytes, this one \(key.bytes.count)")
    }
  }

  private func validate(_ offsetBytes: UInt64, _ byteCount: UInt64) throws(StoreError) {
    guard offsetBytes.addingSaturating(byteCount) <= Self.maximumObjectByteCount else {
      throw .invalid("\(byteCount) bytes at \(offsetBytes) end behind the last possible byte")
    }
  }

  private func validateBlocks(
    _ first: BlockNumber, _ blockCount: UInt64
  ) throws(StoreError) {
    let limit = Self.maximumObjectByteCount >> UInt64(blockSize.shift)
    guard first.rawValue.addingSaturating(blockCount) <= limit else {
      throw .invalid("\(blockCount) blocks from \(first) end behind the last possible block")
    }
  }

  private func validate(
    _ firstBlock: BlockNumber, _ extent: PreparedExtent
  ) throws(StoreError) {
    guard extent.blockCount > 0,
      extent.tags.count == extent.blockCount * sealer.tagByteCount,
      extent.location.offsetBytes % UInt64(blockSize.byteCount) == 0
    else { throw .invalid("an extent of \(extent.blockCount) blocks whose parts do not fit") }
    try validateBlocks(firstBlock, UInt64(extent.blockCount))
  }
}
