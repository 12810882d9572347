import DiskFormat
package import IOSeams
package import StorageModel

/// Blocks on their way from the journal to a segment: made and applied under the volume's lock,
/// copied without it. Sealed bytes and tags stay what they are.
package struct RelocationPlan: Hashable, Sendable {
  struct Move: Hashable {
    var object: ObjectNumber
    /// Inside one chunk.
    var firstBlock: BlockNumber
    var blockCount: Int
    var from: JournalPosition
    /// Bytes from the plan's location.
    var targetOffset: Int
  }

  package let volume: VolumeID
  package let location: SegmentLocation
  package let byteCount: Int
  let blockSize: BlockSize
  let moves: [Move]

  /// Copies the blocks. `scratch`, at least one block, is the size of the writes.
  ///
  /// The caller then syncs the journal, and with it the segments, before it applies the plan.
  package func copy(
    journal: some JournalStore, segments: some SegmentStore,
    scratch: UnsafeMutableRawBufferPointer
  ) throws(StoreError) {
    let size = blockSize.byteCount
    guard scratch.count >= size else { throw .invalid("scratch memory of less than a block") }
    let limit = scratch.count / size * size
    var written = 0
    var filled = 0
    for move in moves {
      var done = 0
      while done < move.blockCount * size {
        let count = min(limit - filled, move.blockCount * size - done)
        try journal.read(
          at: move.from.advanced(byByteCount: done),
          into: UnsafeMutableRawBufferPointer(rebasing: scratch[filled..<filled + count]))
        filled += count
        done += count
        if filled == limit {
          try flush(scratch, filled, at: &written, segments)
          filled = 0
        }
      }
    }
    if filled > 0 { try flush(scratch, filled, at: &written, segments) }
  }

  private func flush(
    _ scratch: UnsafeMutableRawBufferPointer, _ count: Int, at written: inout Int,
    _ segments: some SegmentStore
  ) throws(StoreError) {
    try segments.write(
      UnsafeRawBufferPointer(rebasing: scratch[..<count]), volume: volume,
      at: location.advanced(byByteCount: written))
    written += count
  }
}
