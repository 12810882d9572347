import IOSeams
import StorageModel

extension FileSystem {
  /// Makes a change one record, then the truth in memory. On an error nothing has changed.
  ///
  /// A volume that is full while freed blocks wait for `reclaim` is reclaimed first.
  mutating func commit(
    _ change: Change, _ request: FileRequest, _ store: inout some VolumeStore
  ) throws(FileSystemFailure) {
    let transaction = change.transaction(previous: counters, identity: request.identity)
    guard !transaction.mutations.isEmpty else { return }
    // A change of leftovers frees, so it cannot lack space; reclaiming under it would mix both.
    let mayReclaim = !reclaimable.isEmpty && change.leftovers.isEmpty
    do {
      lastReceipt = try store.record(transaction)
    } catch {
      guard case .store(.noSpace(let needed, _)) = error, mayReclaim else { throw error }
      try makeRoom(for: needed, &store)
      lastReceipt = try store.record(transaction)
    }
    adopt(change)
  }

  /// Reclaims until a number of blocks is free, or until nothing is left to be reclaimed.
  mutating func makeRoom(
    for neededBlocks: UInt64, _ store: inout some VolumeStore
  ) throws(FileSystemFailure) {
    while store.capacityBlocks.decreased(by: store.usedBlocks) < neededBlocks {
      guard hasReclaimableSpace else { return }
      _ = try reclaim(&store, blockBudget: Self.stepBlockCount)
    }
  }

  /// Makes a committed change the truth in memory.
  mutating func adopt(_ change: Change) {
    counters = change.counters
    for inode in change.inodes { cache.insert(inode) }
    for number in change.removedInodes { cache.remove(number) }
    for (inode, leftover) in change.leftovers { remember(leftover, for: inode) }
  }

  /// An inode as the change sees it; `ESTALE` if there is none.
  mutating func inode(
    _ number: InodeNumber, _ change: Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> Inode {
    if let inode = change.inode(number) { return inode }
    return try inode(number, store)
  }

  /// A stored inode; `ESTALE` if there is none or it is being taken apart.
  mutating func inode(
    _ number: InodeNumber, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> Inode {
    if let inode = cache.inode(number) {
      guard inode.linkCount > 0 || !isPurged(number) else { throw .posix(.stale) }
      return inode
    }
    guard !isPurged(number), let bytes = try store.read(Keys.inode(number)) else {
      throw .posix(.stale)
    }
    let inode = try Inode(decoding: bytes, number: number)
    cache.insert(inode)
    return inode
  }

  /// The inode that a directory entry leads to: if it is missing, the volume is damaged.
  mutating func inode(
    namedBy entry: EntryBucket.Entry, in directory: InodeNumber, _ change: Change,
    _ store: some VolumeStore
  ) throws(FileSystemFailure) -> Inode {
    do {
      return try inode(entry.inode, change, store)
    } catch .posix(.stale) {
      throw .corrupt(
        "entry of directory \(directory.rawValue)", expected: "inode \(entry.inode.rawValue)",
        found: "none")
    }
  }

  /// A directory that names may be added to; `ENOENT` if it was removed.
  mutating func directory(
    _ number: InodeNumber, _ change: Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> Inode {
    let inode = try inode(number, change, store)
    guard inode.isDirectory else { throw .posix(.notDirectory) }
    guard inode.linkCount > 0 else { throw .posix(.noEntry) }
    return inode
  }

  /// The names of a directory that share a hash, kept in the change from now on.
  func entries(
    at key: StoreKey, in directory: InodeNumber, _ change: inout Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> EntryBucket {
    if let bucket = change.entries(at: key) { return bucket }
    let bucket = try entries(at: key, in: directory, store)
    change.put(bucket, at: key, isChanged: false)
    return bucket
  }

  func entries(
    at key: StoreKey, in directory: InodeNumber, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> EntryBucket {
    guard let bytes = try store.read(key) else { return EntryBucket() }
    return try EntryBucket(decoding: bytes, directory: directory)
  }

  func entryKey(_ name: [UInt8], in directory: InodeNumber, _ store: some VolumeStore) -> StoreKey {
    Keys.entry(in: directory, hash: NameHash(of: store.nameHash(name)))
  }

  /// Refuses what no file can be called.
  static func check(_ name: [UInt8]) throws(FileSystemFailure) {
    guard name.count <= maximumNameByteCount else { throw .posix(.nameTooLong) }
    let dot = UInt8(ascii: ".")
    guard !name.isEmpty, name != [dot], name != [dot, dot],
      !name.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") })
    else { throw .posix(.invalid) }
  }

  func leftover(_ number: InodeNumber, _ change: Change) -> Leftover {
    change.leftover(number) ?? leftovers[number.rawValue] ?? Leftover()
  }

  func isPurged(_ number: InodeNumber) -> Bool { leftovers[number.rawValue]?.isPurged ?? false }
}
