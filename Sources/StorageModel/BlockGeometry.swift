/// The unit of a volume's data: 4 KiB to 64 KiB, a power of two, fixed at creation.
package struct BlockSize: Hashable, Sendable {
  package let byteCount: Int

  package static let minimumByteCount = 4 << 10
  package static let maximumByteCount = 64 << 10
  package static let standard = BlockSize(checked: 4 << 10)

  /// nil unless a power of two within the bounds.
  package init?(byteCount: Int) {
    guard (Self.minimumByteCount...Self.maximumByteCount).contains(byteCount),
      byteCount & (byteCount - 1) == 0
    else { return nil }
    self.byteCount = byteCount
  }

  private init(checked byteCount: Int) { self.byteCount = byteCount }

  package var shift: Int { byteCount.trailingZeroBitCount }

  /// The block that holds the byte at `offsetBytes`.
  package func block(holding offsetBytes: UInt64) -> BlockNumber {
    BlockNumber(offsetBytes >> UInt64(shift))
  }

  /// How many blocks it takes to hold `count` bytes.
  package func blockCount(holding count: UInt64) -> UInt64 {
    let (quotient, remainder) = count.quotientAndRemainder(dividingBy: UInt64(byteCount))
    return quotient + (remainder > 0 ? 1 : 0)
  }
}

/// A block's number inside its object.
package struct BlockNumber: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let rawValue: UInt64

  package static let zero = BlockNumber(0)

  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  package var chunk: ChunkNumber { ChunkNumber(rawValue / UInt64(ChunkNumber.blockCount)) }
  package var indexInChunk: Int { Int(rawValue % UInt64(ChunkNumber.blockCount)) }

  package func advanced(by count: UInt64) -> BlockNumber { BlockNumber(rawValue + count) }

  package var description: String { "\(rawValue)" }

  package static func < (left: BlockNumber, right: BlockNumber) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// Unit of the index: the number of a run of 64 blocks inside an object.
package struct ChunkNumber: Hashable, Sendable, Comparable {
  package let rawValue: UInt64

  /// Blocks in a chunk.
  package static let blockCount = 64

  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  package var firstBlock: BlockNumber { BlockNumber(rawValue * UInt64(Self.blockCount)) }

  package static func < (left: ChunkNumber, right: ChunkNumber) -> Bool {
    left.rawValue < right.rawValue
  }
}
