package import StorageModel

/// Where a run of blocks lies.
package enum BlockPlace: Hashable, Sendable {
  /// Still in the record that wrote it: position of the first block's bytes.
  case journal(JournalPosition)
  case segment(SegmentLocation)
  /// Charged to the volume, without data: reads as zeros.
  case allocated
  /// In the record that is being made: bytes from the payload's start. Never stored; it becomes
  /// `.journal` when the record's position is known.
  case record(offsetBytes: Int)

  /// The place of the block that lies `byteCount` bytes further on in the same run.
  package func advanced(byByteCount byteCount: Int) -> BlockPlace {
    switch self {
    case .journal(let position): .journal(position.advanced(byByteCount: byteCount))
    case .segment(let location): .segment(location.advanced(byByteCount: byteCount))
    case .allocated: .allocated
    case .record(let offsetBytes): .record(offsetBytes: offsetBytes + byteCount)
    }
  }
}

/// Consecutive blocks of a chunk that were sealed under one LSN and lie one behind the other.
package struct ChunkRun: Hashable, Sendable {
  /// Index of the first block inside the chunk, 0 ..< 64.
  package var first: Int
  /// 1 ... 64 − `first`
  package var count: Int
  package var place: BlockPlace
  package var seal: SealStamp
  /// The record that last changed these blocks (a direct write's seal has a number of its own).
  package var lastLSN: LSN

  package init(first: Int, count: Int, place: BlockPlace, seal: SealStamp, lastLSN: LSN) {
    self.first = first
    self.count = count
    self.place = place
    self.seal = seal
    self.lastLSN = lastLSN
  }

  /// One past the last block.
  package var end: Int { first + count }

  package var hasData: Bool { place != .allocated }

  /// The part of the run that lies in `range`, which must overlap it.
  package func part(_ range: Range<Int>, blockByteCount: Int) -> ChunkRun {
    let range = range.clamped(to: first..<end)
    let skipped = range.lowerBound - first
    guard skipped > 0 || range.count < count else { return self }
    return ChunkRun(
      first: range.lowerBound, count: range.count,
      place: place.advanced(byByteCount: skipped * blockByteCount),
      seal: seal.advanced(by: skipped), lastLSN: lastLSN)
  }
}
