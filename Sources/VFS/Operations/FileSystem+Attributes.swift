package import IOSeams
package import StorageModel

extension FileSystem {
  /// Changes attributes, the size among them. A change of owner always clears the privileges of
  /// a file that is no directory, a change of size those that `dropsPrivileges` names.
  package mutating func setAttributes(
    of number: InodeNumber, _ changes: AttributeChanges, store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) -> FileAttributes {
    if let size = changes.sizeBytes {
      guard size <= Inode.maximumByteCount else { throw .posix(.fileTooBig) }
      try freeStaleBlocks(of: number, before: size, &store)
    }
    return try produceOnce(request, &store) { system, change, store throws(FileSystemFailure) in
      var inode = try system.inode(number, change, store)
      if let size = changes.sizeBytes {
        try system.truncate(&inode, to: size, &change, store)
        inode.touch(request.now)
      }
      if inode.apply(changes, now: request.now) {
        try system.dropCapabilities(of: &inode, &change, store)
      }
      change.put(inode)
      return inode
    }
  }

  /// Removes `security.capability`, which a change of content or owner makes void.
  func dropCapabilities(
    of inode: inout Inode, _ change: inout Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    guard inode.hasCapabilities else { return }
    let key = xattrKey(Self.capabilityName, of: inode.number, store)
    var bucket = try xattrs(at: key, of: inode, store)
    bucket.remove(Self.capabilityName)
    change.put(bucket, at: key)
    inode.hasCapabilities = false
    inode.xattrCount -= min(1, inode.xattrCount)
  }
}

extension Inode {
  /// Applies all but the size; true if the file's capabilities must go.
  fileprivate mutating func apply(_ changes: AttributeChanges, now: Timestamp) -> Bool {
    let changesOwner = changes.userID != nil || changes.groupID != nil
    let dropsPrivileges = !isDirectory && (changesOwner || changes.dropsPrivileges)
    if dropsPrivileges { dropPrivilegeBits() }
    if let permissions = changes.permissions { self.permissions = permissions & 0o7777 }
    if let userID = changes.userID { self.userID = userID }
    if let groupID = changes.groupID { self.groupID = groupID }
    if let time = changes.accessed { accessed = time.resolved(now) }
    if let time = changes.modified { modified = time.resolved(now) }
    changed = changes.changed ?? now
    return dropsPrivileges
  }
}

extension AttributeChanges.Time {
  fileprivate func resolved(_ now: Timestamp) -> Timestamp {
    switch self {
    case .now: now
    case .at(let time): time.nanoseconds < 1_000_000_000 ? time : now
    }
  }
}
