package import IOSeams
package import StorageModel

/// Files without a name, and the blocks of large files that were given up.
extension FileSystem {
  /// Notes that a file is open: without a name it lives on until its last `release`.
  package mutating func open(
    _ number: InodeNumber, store: some VolumeStore
  ) throws(FileSystemFailure) -> FileAttributes {
    let inode = try inode(number, store)
    openCounts[number.rawValue, default: 0] += 1
    return inode.attributes(blockSize: store.blockSize)
  }

  /// Notes that a file was closed once. The last close of a file without a name frees it.
  package mutating func release(
    _ number: InodeNumber, store: inout some VolumeStore
  ) throws(FileSystemFailure) {
    guard let count = openCounts[number.rawValue] else { return }
    guard count == 1 else {
      openCounts[number.rawValue] = count - 1
      return
    }
    openCounts[number.rawValue] = nil
    if orphanPolicy == .untilLastRelease { try purgeOrphan(number, &store) }
  }

  /// Notes that the kernel no longer knows an inode. Without a name and not open, it is freed.
  package mutating func forget(
    _ number: InodeNumber, store: inout some VolumeStore
  ) throws(FileSystemFailure) {
    guard !leftovers.isEmpty, openCounts[number.rawValue] == nil || orphanPolicy == .untilForget
    else { return }
    openCounts[number.rawValue] = nil
    try purgeOrphan(number, &store)
  }

  /// Notes that the mount is gone, and with it all open files: what has no name is queued for
  /// `reclaim`. `policy` is what holds for the next mount.
  package mutating func abandonOrphans(
    store: some VolumeStore, then policy: OrphanPolicy = .untilLastRelease
  ) throws(FileSystemFailure) {
    openCounts = [:]
    orphanPolicy = policy
    try queueOrphans(store)
  }

  /// Whether there are files without a name.
  package var hasOrphans: Bool { orphanCount > 0 }

  /// Whether `reclaim` has something to do.
  package var hasReclaimableSpace: Bool { !reclaimable.isEmpty }

  /// Frees a bounded part of what large removed or cut files held, in one record. Call it until
  /// it returns false, letting go of the volume's lock in between.
  ///
  /// - Parameter blockBudget: blocks to free at most.
  package mutating func reclaim(
    _ store: inout some VolumeStore, blockBudget: UInt64 = 4096
  ) throws(FileSystemFailure) -> Bool {
    guard let number = reclaimable.first else { return false }
    try reclaim(InodeNumber(number), &store, blockBudget: max(1, blockBudget))
    return !reclaimable.isEmpty
  }

  /// Frees what was cut off before the file may grow over it again.
  mutating func freeStaleBlocks(
    of number: InodeNumber, before end: UInt64, _ store: inout some VolumeStore
  ) throws(FileSystemFailure) {
    while let leftover = leftovers[number.rawValue], leftover.blockCount > 0, !leftover.isPurged,
      end > leftover.firstBlock << UInt64(store.blockSize.shift)
    {
      try reclaim(number, &store, blockBudget: Self.stepBlockCount)
    }
  }

  /// Marks all orphans as unreachable. Costs no record: it is what `load` would find anyway.
  mutating func queueOrphans(_ store: some VolumeStore) throws(FileSystemFailure) {
    for (number, leftover) in leftovers where leftover.isOrphan && !leftover.isPurged {
      let number = InodeNumber(number)
      var purged = leftover
      if let bytes = try store.read(Keys.inode(number)) {
        purged.take(try Inode(decoding: bytes, number: number))
      }
      purged.isPurged = true
      cache.remove(number)
      remember(purged, for: number)
    }
  }

  private mutating func purgeOrphan(
    _ number: InodeNumber, _ store: inout some VolumeStore
  ) throws(FileSystemFailure) {
    guard let leftover = leftovers[number.rawValue], leftover.isOrphan, !leftover.isPurged else {
      return
    }
    var change = Change(counters: counters)
    try purge(try inode(number, store), &change, store)
    lastReceipt = try store.record(change.transaction(previous: counters, identity: nil))
    adopt(change)
  }

  /// One step on one inode: finds a range that holds at most the budget, frees it, notes it.
  private mutating func reclaim(
    _ number: InodeNumber, _ store: inout some VolumeStore, blockBudget: UInt64
  ) throws(FileSystemFailure) {
    guard var leftover = leftovers[number.rawValue] else { return }
    var change = Change(counters: counters)
    let rest = leftover.firstBlock..<leftover.endBlock
    var step = (blocks: rest, occupiedCount: leftover.blockCount)
    if leftover.blockCount > blockBudget {
      step = try boundedRange(
        rest, of: number.object, budget: blockBudget, width: &leftover.stepWidth, store)
    }
    if step.blocks.upperBound == rest.upperBound {
      try finish(leftover, of: number, &change, store)
    } else {
      change.data.append(
        .zero(object: number, blocks: step.blocks, blockSize: store.blockSize))
      leftover.firstBlock = step.blocks.upperBound
      leftover.blockCount = min(
        leftover.blockCount.decreased(by: step.occupiedCount),
        leftover.endBlock - leftover.firstBlock)
      change.put(leftover, for: number)
    }
    lastReceipt = try store.record(change.transaction(previous: counters, identity: nil))
    adopt(change)
  }
}
