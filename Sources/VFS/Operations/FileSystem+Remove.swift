package import IOSeams
package import StorageModel

extension FileSystem {
  /// Removes a name. The file goes with its last name, or lives on until it is closed.
  package mutating func unlink(
    _ name: [UInt8], in parent: InodeNumber, store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) {
    try once(request, &store) { system, change, store throws(FileSystemFailure) in
      try Self.check(name)
      var directory = try system.directory(parent, change, store)
      let inode = try system.leave(name, &directory, &change, store, request.now)
      guard !inode.isDirectory else { throw .posix(.isDirectory) }
      try system.dropName(of: inode, &change, store, request.now)
      change.put(directory)
    }
  }

  /// Removes an empty directory; `ENOTEMPTY` if it is not.
  package mutating func removeDirectory(
    _ name: [UInt8], in parent: InodeNumber, store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) {
    try once(request, &store) { system, change, store throws(FileSystemFailure) in
      try Self.check(name)
      var directory = try system.directory(parent, change, store)
      let inode = try system.leave(name, &directory, &change, store, request.now)
      guard inode.isDirectory else { throw .posix(.notDirectory) }
      guard inode.entryCount == 0 else { throw .posix(.directoryNotEmpty) }
      directory.linkCount = directory.linkCount.decreased
      try system.dropName(of: inode, &change, store, request.now)
      change.put(directory)
    }
  }

  /// Takes a name out of a directory and tells what it led to.
  mutating func leave(
    _ name: [UInt8], _ directory: inout Inode, _ change: inout Change, _ store: some VolumeStore,
    _ now: Timestamp
  ) throws(FileSystemFailure) -> Inode {
    let key = entryKey(name, in: directory.number, store)
    var bucket = try entries(at: key, in: directory.number, &change, store)
    guard let entry = bucket.entry(named: name) else { throw .posix(.noEntry) }
    let inode = try inode(namedBy: entry, in: directory.number, change, store)
    bucket.remove(name)
    change.put(bucket, at: key)
    directory.entryCount = directory.entryCount.decreased(by: 1)
    directory.touch(now)
    return inode
  }

  /// One name less. Without any, the inode goes at once if it is small and nobody has it open;
  /// otherwise it becomes an orphan. A directory has one name only.
  mutating func dropName(
    of named: Inode, _ change: inout Change, _ store: some VolumeStore, _ now: Timestamp
  ) throws(FileSystemFailure) {
    var inode = named
    inode.linkCount = inode.isDirectory ? 0 : inode.linkCount.decreased
    inode.changed = now
    guard inode.linkCount == 0 else { return change.put(inode) }
    if inode.isDirectory {
      change.counters.directories = change.counters.directories.decreased(by: 1)
    } else {
      change.counters.files = change.counters.files.decreased(by: 1)
    }
    if orphanPolicy == .untilForget || openCounts[inode.number.rawValue] != nil {
      var leftover = leftover(inode.number, change)
      leftover.isOrphan = true
      change.put(leftover, for: inode.number)
      change.put(inode)
    } else {
      try purge(inode, &change, store)
    }
  }

  /// Takes apart an inode that nobody can reach: at once if it is small, else step by step.
  mutating func purge(
    _ inode: Inode, _ change: inout Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    var leftover = leftover(inode.number, change)
    leftover.take(inode)
    guard leftover.blockCount << UInt64(store.blockSize.shift) <= Self.immediateFreeByteCount
    else {
      change.put(inode)
      return change.put(leftover, for: inode.number)
    }
    try finish(
      leftover, of: inode.number, mayHaveXattrs: inode.xattrCount > 0, &change, store)
  }

  /// Frees the rest of what a leftover holds, and with a purged inode its keys.
  func finish(
    _ leftover: Leftover, of number: InodeNumber, mayHaveXattrs: Bool = true,
    _ change: inout Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    if leftover.blockCount > 0 {
      change.data.append(
        .zero(
          object: number, blocks: leftover.firstBlock..<leftover.endBlock,
          blockSize: store.blockSize))
    }
    var rest = leftover
    rest.dropBlocks()
    if leftover.isPurged {
      rest = Leftover()
      var keys: [StoreKey] = []
      if mayHaveXattrs {
        try store.visit(Keys.xattrs(of: number)) { key, _ in
          keys.append(key)
          return true
        }
      }
      change.remove(number, with: keys)
    }
    if leftovers[number.rawValue] != nil { change.put(rest, for: number) }
  }
}

extension UInt32 {
  /// One less, but never below zero: counts that came from disk must not trap.
  var decreased: UInt32 { self > 0 ? self - 1 : 0 }
}

extension Mutation {
  /// Frees whole blocks.
  static func zero(
    object number: InodeNumber, blocks: Range<UInt64>, blockSize: BlockSize
  ) -> Mutation {
    let shift = UInt64(blockSize.shift)
    return .zero(
      object: number.object, offsetBytes: blocks.lowerBound << shift,
      byteCount: UInt64(blocks.count) << shift)
  }
}
