internal import CFuse3
internal import Glibc
internal import StorageModel

/// The callbacks that libfuse calls for each request: they decode and call the handler.
enum Operations {
  static func table() -> fuse_lowlevel_ops {
    var table = fuse_lowlevel_ops()
    table.`init` = { userData, connection in
      guard let userData, let connection else { return }
      Unmanaged<SessionState>.fromOpaque(userData).takeUnretainedValue()
        .negotiate(&connection.pointee)
    }
    addNames(to: &table)
    addAttributes(to: &table)
    addFiles(to: &table)
    addFileRanges(to: &table)
    addDirectories(to: &table)
    addExtendedAttributes(to: &table)
    return table
  }

  private static func addNames(to table: inout fuse_lowlevel_ops) {
    table.lookup = { request, parent, name in
      guard let request = IncomingRequest(request), let name else { return }
      request.handler.lookup(
        request.context, parent: InodeNumber(parent), name: name.nameBytes,
        reply: EntryReply(request.token))
    }
    table.forget = { request, inode, count in
      guard let request else { return }
      Operations.session(of: request)?.handler.forget(inode: InodeNumber(inode), count: count)
      fuse_reply_none(request)
    }
    table.forget_multi = { request, count, list in
      guard let request else { return }
      if let session = Operations.session(of: request), let list {
        for entry in UnsafeBufferPointer(start: list, count: count) {
          session.handler.forget(inode: InodeNumber(entry.ino), count: entry.nlookup)
        }
      }
      fuse_reply_none(request)
    }
    table.mknod = { request, parent, name, mode, device in
      guard let request = IncomingRequest(request), let name else { return }
      let reply = EntryReply(request.token)
      guard let kind = FileKind(rawValue: UInt32(mode) & S_IFMT) else {
        reply.fail(.invalid)
        return
      }
      request.handler.makeNode(
        request.context, parent: InodeNumber(parent), name: name.nameBytes, kind: kind,
        permissions: UInt32(mode) & 0o7777, device: UInt32(truncatingIfNeeded: device),
        reply: reply)
    }
    table.unlink = { request, parent, name in
      guard let request = IncomingRequest(request), let name else { return }
      request.handler.unlink(
        request.context, parent: InodeNumber(parent), name: name.nameBytes,
        reply: EmptyReply(request.token))
    }
    table.rename = { request, parent, name, newParent, newName, flags in
      guard let request = IncomingRequest(request), let name, let newName else { return }
      request.handler.rename(
        request.context, parent: InodeNumber(parent), name: name.nameBytes,
        newParent: InodeNumber(newParent), newName: newName.nameBytes,
        flags: RenameFlags(rawValue: flags), reply: EmptyReply(request.token))
    }
    addLinks(to: &table)
  }

  private static func addLinks(to table: inout fuse_lowlevel_ops) {
    table.link = { request, inode, newParent, newName in
      guard let request = IncomingRequest(request), let newName else { return }
      request.handler.link(
        request.context, inode: InodeNumber(inode), newParent: InodeNumber(newParent),
        newName: newName.nameBytes, reply: EntryReply(request.token))
    }
    table.symlink = { request, target, parent, name in
      guard let request = IncomingRequest(request), let name, let target else { return }
      request.handler.symbolicLink(
        request.context, parent: InodeNumber(parent), name: name.nameBytes,
        target: target.nameBytes, reply: EntryReply(request.token))
    }
    table.readlink = { request, inode in
      guard let request = IncomingRequest(request) else { return }
      request.handler.readLink(
        request.context, inode: InodeNumber(inode), reply: DataReply(request.token))
    }
  }

  private static func addAttributes(to table: inout fuse_lowlevel_ops) {
    table.getattr = { request, inode, information in
      guard let request = IncomingRequest(request) else { return }
      request.handler.getAttributes(
        request.context, inode: InodeNumber(inode), handle: information.optionalHandle,
        reply: AttributesReply(request.token))
    }
    table.setattr = { request, inode, values, toSet, information in
      guard let request = IncomingRequest(request), let values else { return }
      request.handler.setAttributes(
        request.context, inode: InodeNumber(inode),
        changes: Operations.attributeChanges(values.pointee, toSet: toSet, request: request.bytes),
        handle: information.optionalHandle, reply: AttributesReply(request.token))
    }
    table.statfs = { request, _ in
      guard let request = IncomingRequest(request) else { return }
      request.handler.statistics(request.context, reply: StatisticsReply(request.token))
    }
  }

  /// The session of a request that gets no answer.
  static func session(of request: fuse_req_t) -> SessionState? {
    fuse_req_userdata(request).map {
      Unmanaged<SessionState>.fromOpaque($0).takeUnretainedValue()
    }
  }

  private static func attributeChanges(
    _ values: stat, toSet: Int32, request: UnsafeRawPointer
  ) -> AttributeChanges {
    var changes = AttributeChanges()
    func sets(_ bit: Int32) -> Bool { toSet & bit != 0 }
    if sets(FUSE_SET_ATTR_MODE) { changes.permissions = values.st_mode & 0o7777 }
    if sets(FUSE_SET_ATTR_UID) { changes.userID = values.st_uid }
    if sets(FUSE_SET_ATTR_GID) { changes.groupID = values.st_gid }
    if sets(FUSE_SET_ATTR_SIZE) { changes.sizeBytes = UInt64(bitPattern: Int64(values.st_size)) }
    if sets(FUSE_SET_ATTR_ATIME) { changes.accessed = .at(Timestamp(values.st_atim)) }
    if sets(FUSE_SET_ATTR_ATIME_NOW) { changes.accessed = .now }
    if sets(FUSE_SET_ATTR_MTIME) { changes.modified = .at(Timestamp(values.st_mtim)) }
    if sets(FUSE_SET_ATTR_MTIME_NOW) { changes.modified = .now }
    if sets(FUSE_SET_ATTR_CTIME) { changes.changed = Timestamp(values.st_ctim) }
    let valid = request.load(
      fromByteOffset: KernelProtocol.requestHeadByteCount, as: UInt32.self)
    changes.dropsPrivileges =
      valid & KernelProtocol.setAttributesKillPrivileges != 0 || changes.userID != nil
      || changes.groupID != nil
    return changes
  }
}

extension Timestamp {
  /// A time that the kernel gave; its nanoseconds are within a second.
  fileprivate init(_ time: timespec) {
    self.init(
      seconds: Int64(time.tv_sec),
      nanoseconds: UInt32(truncatingIfNeeded: min(max(time.tv_nsec, 0), 999_999_999)))
  }
}
