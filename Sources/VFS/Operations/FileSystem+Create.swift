package import IOSeams
package import StorageModel

extension FileSystem {
  /// What a new inode is to be. The kernel has applied the umask to `permissions`.
  package struct NewFile: Hashable, Sendable {
    package var kind: FileKind
    package var permissions: UInt32
    /// Of device files: `st_rdev`.
    package var device: UInt32 = 0
    /// Of symbolic links: 1 ..< 4096 bytes.
    package var target: [UInt8] = []

    package init(kind: FileKind, permissions: UInt32, device: UInt32 = 0, target: [UInt8] = []) {
      self.kind = kind
      self.permissions = permissions
      self.device = device
      self.target = target
    }
  }

  /// Makes a regular file. `EEXIST` if the name is taken, `ENOSPC` if inodes are used up.
  package mutating func create(
    _ name: [UInt8], in parent: InodeNumber, permissions: UInt32, store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) -> FileAttributes {
    try make(
      NewFile(kind: .regular, permissions: permissions), named: name, in: parent, store: &store,
      for: request)
  }

  /// Makes a directory; `EMLINK` if the parent has 64,998 already.
  package mutating func makeDirectory(
    _ name: [UInt8], in parent: InodeNumber, permissions: UInt32, store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) -> FileAttributes {
    try make(
      NewFile(kind: .directory, permissions: permissions), named: name, in: parent, store: &store,
      for: request)
  }

  /// Makes a symbolic link.
  package mutating func makeSymbolicLink(
    _ name: [UInt8], in parent: InodeNumber, target: [UInt8], store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) -> FileAttributes {
    try make(
      NewFile(kind: .symbolicLink, permissions: 0o777, target: target), named: name, in: parent,
      store: &store, for: request)
  }

  /// Makes a file of any kind: mknod(2) and the special cases above.
  package mutating func make(
    _ file: NewFile, named name: [UInt8], in parent: InodeNumber, store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) -> FileAttributes {
    try produceOnce(request, &store) { system, change, store throws(FileSystemFailure) in
      try Self.check(name)
      var directory = try system.directory(parent, change, store)
      let inode = try system.newInode(file, in: directory, &change, store, request)
      try system.enter(name, inode, in: &directory, &change, store, request.now)
      if inode.isDirectory {
        guard directory.linkCount < Inode.maximumLinkCount else { throw .posix(.tooManyLinks) }
        directory.linkCount += 1
        change.counters.directories += 1
      } else {
        change.counters.files += 1
      }
      change.put(directory)
      return inode
    }
  }

  /// Makes a regular file without a name (O_TMPFILE): it lives as long as it is open, or until
  /// `link` names it. Call `open` before the volume's lock is let go.
  package mutating func makeTemporary(
    in parent: InodeNumber, permissions: UInt32, store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) -> FileAttributes {
    try produceOnce(request, &store) { system, change, store throws(FileSystemFailure) in
      let directory = try system.directory(parent, change, store)
      let file = NewFile(kind: .regular, permissions: permissions)
      var inode = try system.newInode(file, in: directory, &change, store, request)
      inode.linkCount = 0
      change.put(inode)
      var leftover = Leftover()
      leftover.isOrphan = true
      change.put(leftover, for: inode.number)
      return inode
    }
  }

  /// Gives a file another name. `EPERM` for directories, `EMLINK` beyond 65,000 links.
  package mutating func link(
    _ number: InodeNumber, as name: [UInt8], in parent: InodeNumber,
    store: inout some VolumeStore, for request: FileRequest
  ) throws(FileSystemFailure) -> FileAttributes {
    try produceOnce(request, &store) { system, change, store throws(FileSystemFailure) in
      try Self.check(name)
      var directory = try system.directory(parent, change, store)
      var inode = try system.inode(number, change, store)
      guard !inode.isDirectory else { throw .posix(.notPermitted) }
      guard inode.linkCount < Inode.maximumLinkCount else { throw .posix(.tooManyLinks) }
      try system.enter(name, inode, in: &directory, &change, store, request.now)
      if inode.linkCount == 0 {
        change.counters.files += 1
        var leftover = system.leftover(number, change)
        leftover.isOrphan = false
        change.put(leftover, for: number)
      }
      inode.linkCount += 1
      inode.changed = request.now
      change.put(inode)
      change.put(directory)
      return inode
    }
  }

  /// An inode with the next number, owned by the caller, or by the directory's group if that has
  /// the set-group-ID bit (which directories pass on).
  private func newInode(
    _ file: NewFile, in directory: Inode, _ change: inout Change, _ store: some VolumeStore,
    _ request: FileRequest
  ) throws(FileSystemFailure) -> Inode {
    guard inodeCount < inodeCapacity(store) else { throw .posix(.noSpace) }
    if file.kind == .symbolicLink {
      guard !file.target.isEmpty, !file.target.contains(0) else { throw .posix(.invalid) }
      guard file.target.count <= Self.maximumTargetByteCount else { throw .posix(.nameTooLong) }
    }
    var inode = Inode(
      number: InodeNumber(change.counters.nextInode), kind: file.kind,
      permissions: file.permissions, linkCount: file.kind == .directory ? 2 : 1,
      userID: request.caller.userID, groupID: request.caller.groupID, now: request.now)
    change.counters.nextInode += 1
    if directory.permissions & 0o2000 != 0 {
      inode.groupID = directory.groupID
      if inode.isDirectory { inode.permissions |= 0o2000 }
    }
    switch file.kind {
    case .directory: inode.parent = directory.number
    case .symbolicLink:
      inode.target = file.target
      inode.sizeBytes = UInt64(file.target.count)
    case .blockDevice, .characterDevice: inode.device = file.device
    case .regular, .fifo, .socket: break
    }
    change.put(inode)
    return inode
  }

  /// Adds a new name to a directory.
  private func enter(
    _ name: [UInt8], _ inode: Inode, in directory: inout Inode, _ change: inout Change,
    _ store: some VolumeStore, _ now: Timestamp
  ) throws(FileSystemFailure) {
    let key = entryKey(name, in: directory.number, store)
    var bucket = try entries(at: key, in: directory.number, &change, store)
    guard bucket.entry(named: name) == nil else { throw .posix(.exists) }
    guard bucket.set(name, inode: inode.number, kind: inode.kind) else { throw .posix(.noSpace) }
    change.put(bucket, at: key)
    directory.entryCount += 1
    directory.touch(now)
  }
}

extension Inode {
  /// The content changed.
  mutating func touch(_ now: Timestamp) {
    modified = now
    changed = now
  }
}
