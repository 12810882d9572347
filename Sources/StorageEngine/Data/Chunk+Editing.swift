import DiskFormat
import StorageModel

extension Chunk {
  /// Puts `run`, or nothing, in the place of `range`; what lay there is handed to `removed`.
  ///
  /// Cost: one pass over the runs (at most 64) and one replacement in place.
  mutating func replace(
    _ range: Range<Int>, with run: ChunkRun?, blockByteCount: Int,
    removed: (ChunkRun) -> Void
  ) {
    var lower = 0
    while lower < runs.count, runs[lower].end <= range.lowerBound { lower += 1 }
    var upper = lower
    var before: ChunkRun?
    var after: ChunkRun?
    while upper < runs.count, runs[upper].first < range.upperBound {
      let old = runs[upper]
      if old.first < range.lowerBound {
        before = old.part(old.first..<range.lowerBound, blockByteCount: blockByteCount)
      }
      if old.end > range.upperBound {
        after = old.part(range.upperBound..<old.end, blockByteCount: blockByteCount)
      }
      removed(old.part(range, blockByteCount: blockByteCount))
      upper += 1
    }
    switch (before, run, after) {
    case (nil, let run?, nil) where upper == lower + 1: runs[lower] = run
    case (nil, let run?, nil) where upper == lower: runs.insert(run, at: lower)
    default:
      runs.replaceSubrange(lower..<upper, with: [before, run, after].compactMap { $0 })
    }
  }

  /// The ranges inside `range` that no run covers.
  func gaps(in range: Range<Int>) -> [Range<Int>] {
    var gaps: [Range<Int>] = []
    var next = range.lowerBound
    for run in runs where run.end > range.lowerBound && run.first < range.upperBound {
      if run.first > next { gaps.append(next..<run.first) }
      next = run.end
    }
    if next < range.upperBound { gaps.append(next..<range.upperBound) }
    return gaps
  }

  /// The run that holds the block of this index.
  func run(holding index: Int) -> ChunkRun? {
    runs.first { $0.first <= index && index < $0.end }
  }

  /// Blocks of `range` that are still in the journal where the first of them lies at `position`:
  /// one bit for each, bit n the nth of the chunk.
  func blocksInJournal(
    _ range: Range<Int>, at position: JournalPosition, blockByteCount: Int
  ) -> UInt64 {
    var bits: UInt64 = 0
    for run in runs where run.end > range.lowerBound && run.first < range.upperBound {
      guard case .journal(let start) = run.place else { continue }
      let shared = range.clamped(to: run.first..<run.end)
      let found = start.rawValue &+ UInt64((shared.lowerBound - run.first) * blockByteCount)
      let wanted =
        position.rawValue &+ UInt64((shared.lowerBound - range.lowerBound) * blockByteCount)
      guard found == wanted else { continue }
      for index in shared { bits |= 1 << UInt64(index) }
    }
    return bits
  }

  /// Switches the blocks of `range` that still lie in the journal at `position` to `location`.
  /// Returns the blocks that were switched, as bits.
  mutating func move(
    _ range: Range<Int>, from position: JournalPosition, to location: SegmentLocation,
    blockByteCount: Int
  ) -> UInt64 {
    let moving = blocksInJournal(range, at: position, blockByteCount: blockByteCount)
    guard moving != 0 else { return 0 }
    for old in runs where old.end > range.lowerBound && old.first < range.upperBound {
      let shared = range.clamped(to: old.first..<old.end)
      guard moving & (1 << UInt64(shared.lowerBound)) != 0 else { continue }
      var new = old.part(shared, blockByteCount: blockByteCount)
      new.place = .segment(
        location.advanced(byByteCount: (shared.lowerBound - range.lowerBound) * blockByteCount))
      replace(shared, with: new, blockByteCount: blockByteCount) { _ in }
    }
    return moving
  }
}

/// A chunk's place in its volume.
struct ChunkAddress: Hashable, Comparable {
  var object: ObjectNumber
  var chunk: ChunkNumber

  static func < (left: ChunkAddress, right: ChunkAddress) -> Bool {
    (left.object, left.chunk) < (right.object, right.chunk)
  }
}

extension BlockRange {
  /// The chunks that the range touches, each with its part of it.
  ///
  /// `body` is called in ascending order.
  func forEachChunk<Failure: Error>(
    _ body: (ChunkAddress, Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    var next = firstBlock
    var left = blockCount
    while left > 0 {
      let count = min(left, UInt64(ChunkNumber.blockCount - next.indexInChunk))
      try body(
        ChunkAddress(object: object, chunk: next.chunk),
        next.indexInChunk..<next.indexInChunk + Int(count))
      next = next.advanced(by: count)
      left -= count
    }
  }
}
