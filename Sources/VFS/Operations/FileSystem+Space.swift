import IOSeams
import StorageModel

/// How many blocks a file occupies, kept exact without asking the store where that can be known.
extension FileSystem {
  /// How many blocks of a range the file occupies.
  func occupiedCount(
    _ blocks: Range<UInt64>, of inode: Inode, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> UInt64 {
    let upper = min(blocks.upperBound, inode.blockEnd)
    guard blocks.lowerBound < upper, inode.blockCount > 0 else { return 0 }
    if inode.isDense { return upper - blocks.lowerBound }
    if blocks.lowerBound == 0, upper == inode.blockEnd { return inode.blockCount }
    return try store.occupied(inode.number.object, blocks.lowerBound..<upper)
  }

  /// Counts a range as occupied from now on.
  func occupy(
    _ blocks: Range<UInt64>, of inode: inout Inode, _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    let before = try occupiedCount(blocks, of: inode, store)
    inode.blockCount += UInt64(blocks.count).decreased(by: before)
    inode.blockEnd = max(inode.blockEnd, blocks.upperBound)
  }

  /// Makes a range of bytes read as zeros: whole blocks are freed, the ends rewritten if they are
  /// occupied at all.
  func punch(
    _ start: UInt64, _ end: UInt64, _ inode: inout Inode, _ change: inout Change,
    _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    guard start < end else { return }
    let shift = UInt64(store.blockSize.shift)
    let firstWhole = store.blockSize.blockCount(holding: start)
    let lastWhole = end >> shift
    guard firstWhole <= lastWhole else {
      return try zeroPart(of: lastWhole, start, end, inode, &change, store)
    }
    if start < firstWhole << shift {
      try zeroPart(of: firstWhole - 1, start, firstWhole << shift, inode, &change, store)
    }
    if firstWhole < lastWhole {
      try release(firstWhole..<lastWhole, of: &inode, &change, store)
    }
    if lastWhole << shift < end {
      try zeroPart(of: lastWhole, lastWhole << shift, end, inode, &change, store)
    }
  }

  private func zeroPart(
    of block: UInt64, _ start: UInt64, _ end: UInt64, _ inode: Inode, _ change: inout Change,
    _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    guard try occupiedCount(block..<block + 1, of: inode, store) > 0 else { return }
    change.data.append(
      .zero(object: inode.number.object, offsetBytes: start, byteCount: end - start))
  }

  /// Frees whole blocks.
  private func release(
    _ blocks: Range<UInt64>, of inode: inout Inode, _ change: inout Change,
    _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    let upper = min(blocks.upperBound, inode.blockEnd)
    let count = try occupiedCount(blocks, of: inode, store)
    guard count > 0, blocks.lowerBound < upper else { return }
    change.data.append(
      .zero(
        object: inode.number, blocks: blocks.lowerBound..<upper, blockSize: store.blockSize))
    inode.blockCount = inode.blockCount.decreased(by: count)
    if upper == inode.blockEnd { inode.blockEnd = blocks.lowerBound }
    if inode.blockCount == 0 { inode.blockEnd = 0 }
  }

  /// Changes a file's size. What lies behind a new end goes, at once or, of a large file, as
  /// stale blocks that `reclaim` frees; the last block's rest becomes zeros.
  func truncate(
    _ inode: inout Inode, to size: UInt64, _ change: inout Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    guard inode.kind == .regular else { throw .posix(inode.isDirectory ? .isDirectory : .invalid) }
    defer { inode.sizeBytes = size }
    guard size <= inode.sizeBytes else { return }
    let shift = UInt64(store.blockSize.shift)
    let keep = store.blockSize.blockCount(holding: size)
    if size < keep << shift, size < inode.sizeBytes {
      try zeroPart(of: keep - 1, size, keep << shift, inode, &change, store)
    }
    var stale = leftover(inode.number, change)
    let count = try staleCount(from: keep, of: inode, store)
    stale.firstBlock = stale.blockCount > 0 ? min(stale.firstBlock, keep) : keep
    stale.endBlock = max(stale.endBlock, inode.blockEnd, stale.firstBlock)
    stale.blockCount += count
    stale.stepWidth = 0
    guard stale.blockCount > 0 else { return }
    if stale.blockCount << shift <= Self.immediateFreeByteCount {
      change.data.append(
        .zero(
          object: inode.number, blocks: stale.firstBlock..<stale.endBlock,
          blockSize: store.blockSize))
      stale.dropBlocks()
    }
    if stale != leftover(inode.number, change) { change.put(stale, for: inode.number) }
    inode.blockCount = inode.blockCount.decreased(by: count)
    inode.blockEnd = inode.blockCount == 0 ? 0 : min(inode.blockEnd, keep)
  }

  /// How many blocks from one on the file occupies: whichever side is shorter is counted.
  private func staleCount(
    from block: UInt64, of inode: Inode, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> UInt64 {
    guard block < inode.blockEnd else { return 0 }
    if block < inode.blockEnd - block {
      return inode.blockCount.decreased(by: try occupiedCount(0..<block, of: inode, store))
    }
    return try occupiedCount(block..<inode.blockEnd, of: inode, store)
  }

  /// A range from the start of `blocks` that holds at most `budget` occupied ones, and how many.
  ///
  /// `width` is what to try first and becomes what to try next: it doubles where little is
  /// occupied, so that a sparse file costs few steps.
  func boundedRange(
    _ blocks: Range<UInt64>, of object: ObjectNumber, budget: UInt64, width: inout UInt64,
    _ store: some VolumeStore
  ) throws(FileSystemFailure) -> (blocks: Range<UInt64>, occupiedCount: UInt64) {
    width = max(width, budget)
    while true {
      let length = min(width, UInt64(blocks.count))
      let range = blocks.lowerBound..<blocks.lowerBound + length
      let count = try store.occupied(object, range)
      if count <= budget || length <= budget {
        if count <= budget / 2, width < 1 << 52 { width *= 2 }
        return (range, count)
      }
      width = max(budget, width / 2)
    }
  }
}

extension Leftover {
  /// Takes the whole inode over: nobody can reach it any more.
  mutating func take(_ inode: Inode) {
    isOrphan = true
    isPurged = true
    firstBlock = 0
    endBlock = max(inode.blockEnd, endBlock)
    blockCount += inode.blockCount
    stepWidth = 0
  }

  /// Nothing is left to be freed.
  mutating func dropBlocks() {
    firstBlock = 0
    endBlock = 0
    blockCount = 0
    stepWidth = 0
  }
}
