import DiskFormat
import IOSeams
import StorageModel

/// How a write of any alignment lies in the whole blocks that the record carries.
struct WriteLayout {
  var object: ObjectNumber
  var firstBlock: BlockNumber
  var blockCount: Int
  var blockByteCount: Int
  /// Bytes of the first block before the write.
  var skippedByteCount: Int
  var byteCount: Int
  /// Of the first tag, from the payload's start; sealed bytes follow the last tag.
  var tagsOffset: Int
  var tagByteCount: Int
  var seal: SealStamp

  private var dataOffset: Int { tagsOffset + blockCount * tagByteCount }

  /// What the record's reader would find.
  func inlineBlocks(_ payload: UnsafeRawBufferPointer) -> InlineBlocks {
    InlineBlocks(
      object: object, firstBlock: firstBlock, blockCount: blockCount,
      sealPosition: seal.position,
      tags: UnsafeRawBufferPointer(rebasing: payload[tagsOffset..<dataOffset]),
      dataOffset: dataOffset)
  }

  /// Seals block after block into the payload: whole ones straight from `source`, the edges over
  /// their old bytes. No source means zeros.
  func seal(
    _ source: UnsafeRawBufferPointer?, head: [UInt8]?, tail: [UInt8]?,
    into payload: UnsafeMutableRawBufferPointer, _ sealer: some BlockSealer
  ) {
    for index in 0..<blockCount {
      let start = dataOffset + index * blockByteCount
      let target = UnsafeMutableRawBufferPointer(
        rebasing: payload[start..<start + blockByteCount])
      let tagStart = tagsOffset + index * tagByteCount
      let tag = UnsafeMutableRawBufferPointer(
        rebasing: payload[tagStart..<tagStart + tagByteCount])
      // Of the write, the part that lies in this block: where in the source, and where here.
      let lower = max(0, index * blockByteCount - skippedByteCount)
      let upper = min(byteCount, (index + 1) * blockByteCount - skippedByteCount)
      let inBlock = lower + skippedByteCount - index * blockByteCount
      let block = firstBlock.advanced(by: UInt64(index))
      let place = SealPlace.block(object: object, block: block)
      let nonce = seal.advanced(by: index).nonce
      if let source, upper - lower == blockByteCount {
        let whole = UnsafeRawBufferPointer(rebasing: source[lower..<upper])
        sealer.seal(whole, into: target, nonce: nonce, place: place, tag: tag)
        continue
      }
      if let old = index == 0 ? head : (index == blockCount - 1 ? tail : nil) {
        old.withUnsafeBytes { target.copyMemory(from: $0) }
      }
      let changed = UnsafeMutableRawBufferPointer(
        rebasing: target[inBlock..<inBlock + upper - lower])
      if let source {
        changed.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[lower..<upper]))
      } else {
        changed.initializeMemory(as: UInt8.self, repeating: 0)
      }
      sealer.seal(
        UnsafeRawBufferPointer(target), into: target, nonce: nonce, place: place, tag: tag)
    }
  }
}

extension Array where Element == UInt8 {
  /// Lends the bytes to something that throws typed errors.
  mutating func withMutableRawBytes<Value, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
      try body(UnsafeMutableRawBufferPointer(buffer))
    }
  }
}

extension UInt64 {
  /// The sum, or the greatest number if it does not fit.
  func addingSaturating(_ other: UInt64) -> UInt64 {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? .max : sum
  }
}
