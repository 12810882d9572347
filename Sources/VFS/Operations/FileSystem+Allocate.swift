package import IOSeams
package import StorageModel

extension FileSystem {
  /// Blocks that one record allocates or frees: bounds its size and its time under the lock.
  static let stepBlockCount: UInt64 = 65_536

  /// fallocate(2): allocates (`[]`, `keepSize`), punches a hole (`punchHole` with `keepSize`) or
  /// zeroes and allocates (`zeroRange`, with `keepSize` or not). Long ranges take several records,
  /// the size changes with the last. `EOPNOTSUPP` for other modes, `ENOSPC` before anything is
  /// allocated.
  package mutating func allocate(
    _ mode: AllocationMode, in number: InodeNumber, at offsetBytes: UInt64, byteCount: UInt64,
    options: WriteOptions = [], store: inout some VolumeStore, for request: FileRequest
  ) throws(FileSystemFailure) {
    guard byteCount > 0 else { throw .posix(.invalid) }
    let end = try Self.sum(offsetBytes, byteCount)
    try freeStaleBlocks(of: number, before: end, &store)
    let zeroes: Bool
    let allocates: Bool
    switch mode {
    case [], .keepSize: (zeroes, allocates) = (false, true)
    case [.punchHole, .keepSize]: (zeroes, allocates) = (true, false)
    case .zeroRange, [.zeroRange, .keepSize]: (zeroes, allocates) = (true, true)
    default: throw .posix(.notSupported)
    }
    if allocates { try ensureSpace(for: number, offsetBytes, end, &store) }
    var start = offsetBytes
    var width: UInt64 = 0
    while start < end {
      let stepEnd = try stepEnd(start, end, allocates: allocates, of: number, &width, store)
      // A kept reply belongs to the last record: only then the request is carried out.
      var step = request
      if stepEnd < end { step.identity = nil }
      let range = start..<stepEnd
      try once(step, &store) { system, change, store throws(FileSystemFailure) in
        var inode = try system.regularFile(number, change, store)
        try system.change(range, of: &inode, zeroes, allocates, &change, store)
        if !mode.contains(.keepSize), range.upperBound == end {
          inode.sizeBytes = max(inode.sizeBytes, end)
        }
        if options.contains(.dropsPrivileges) {
          inode.dropPrivilegeBits()
          try system.dropCapabilities(of: &inode, &change, store)
        }
        inode.touch(request.now)
        change.put(inode)
      }
      start = stepEnd
    }
  }

  /// Where the record that starts at `start` ends.
  private mutating func stepEnd(
    _ start: UInt64, _ end: UInt64, allocates: Bool, of number: InodeNumber,
    _ width: inout UInt64, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> UInt64 {
    let shift = UInt64(store.blockSize.shift)
    let first = start >> shift
    if allocates { return min(end, (first + Self.stepBlockCount) << shift) }
    let occupiedEnd = try regularFile(number, Change(counters: counters), store).blockEnd
    guard end - start > Self.stepBlockCount << shift, first < occupiedEnd else { return end }
    let range = try boundedRange(
      first..<occupiedEnd, of: number.object, budget: Self.stepBlockCount, width: &width, store)
    return range.blocks.upperBound == occupiedEnd
      ? end : min(end, range.blocks.upperBound << shift)
  }

  /// Zeroes a range, allocates its blocks, or both.
  private func change(
    _ range: Range<UInt64>, of inode: inout Inode, _ zeroes: Bool, _ allocates: Bool,
    _ change: inout Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    let blocks = Self.blocks(range.lowerBound, range.upperBound, store.blockSize)
    // Counted first: the store knows nothing yet of what the change frees.
    var occupied = inode
    if allocates { try occupy(blocks, of: &occupied, store) }
    if zeroes { try punch(range.lowerBound, range.upperBound, &inode, &change, store) }
    guard allocates else { return }
    if occupied.blockCount > inode.blockCount {
      change.data.append(
        .allocate(
          object: inode.number.object, firstBlock: BlockNumber(blocks.lowerBound),
          blockCount: UInt64(blocks.count)))
    }
    inode = occupied
  }

  /// `ENOSPC` unless the whole range fits.
  private mutating func ensureSpace(
    for number: InodeNumber, _ start: UInt64, _ end: UInt64, _ store: inout some VolumeStore
  ) throws(FileSystemFailure) {
    let inode = try regularFile(number, Change(counters: counters), store)
    let blocks = Self.blocks(start, end, store.blockSize)
    let needed = UInt64(blocks.count)
      .decreased(by: try occupiedCount(blocks, of: inode, store))
    if needed <= store.capacityBlocks { try makeRoom(for: needed, &store) }
    let available = store.capacityBlocks.decreased(by: store.usedBlocks)
    guard needed <= available else {
      throw .store(.noSpace(neededBlocks: needed, availableBlocks: available))
    }
  }
}
