package import FUSEServer
package import StorageModel
internal import Synchronization

extension MemoryFileSystem {
  private static let maximumNameByteCount = 255

  /// Makes an inode under a name and counts the kernel's reference to it.
  private func make(
    _ kind: FileKind, _ name: RequestBytes, in parent: InodeNumber, permissions: UInt32,
    caller: Caller, device: UInt32 = 0, target: [UInt8] = []
  ) -> Result<FileAttributes, FileError> {
    let name = Array(name)
    guard name.count <= Self.maximumNameByteCount else { return .failure(.nameTooLong) }
    return tree.withLock { tree in
      guard tree.child(name, of: parent) == nil else { return .failure(.exists) }
      guard tree.files[parent] != nil else { return .failure(.noEntry) }
      let now = Self.now()
      let inode = tree.make(
        kind, permissions: permissions, caller: caller, device: device, now: now)
      tree.attach(inode, as: name, to: parent)
      tree.files[inode]?.target = target
      if !target.isEmpty { tree.files[inode]?.attributes.sizeBytes = UInt64(target.count) }
      tree.files[inode]?.lookupCount = 1
      tree.files[parent]?.attributes.modified = now
      tree.files[parent]?.attributes.changed = now
      if kind == .directory { tree.files[parent]?.attributes.linkCount += 1 }
      guard let attributes = tree.files[inode]?.attributes else { return .failure(.inputOutput) }
      return .success(attributes)
    }
  }

  private func answer(
    _ result: Result<FileAttributes, FileError>, _ reply: consuming EntryReply
  ) {
    switch result {
    case .success(let attributes): reply.entry(attributes)
    case .failure(let error): reply.fail(error)
    }
  }

  private func answer(_ error: FileError?, _ reply: consuming EmptyReply) {
    if let error { reply.fail(error) } else { reply.done() }
  }

  package func makeNode(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, kind: FileKind,
    permissions: UInt32, device: UInt32, reply: consuming EntryReply
  ) {
    answer(
      make(
        kind, name, in: parent, permissions: permissions, caller: context.caller, device: device),
      reply)
  }

  package func makeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    reply: consuming EntryReply
  ) {
    answer(
      make(.directory, name, in: parent, permissions: permissions, caller: context.caller), reply)
  }

  package func symbolicLink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, target: RequestBytes,
    reply: consuming EntryReply
  ) {
    answer(
      make(
        .symbolicLink, name, in: parent, permissions: 0o777, caller: context.caller,
        target: Array(target)), reply)
  }

  package func create(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    flags: OpenFlags, reply: consuming CreateReply
  ) {
    switch make(.regular, name, in: parent, permissions: permissions, caller: context.caller) {
    case .success(let attributes): reply.created(attributes, handle: .none)
    case .failure(let error): reply.fail(error)
    }
  }

  package func createUnnamed(
    _ context: RequestContext, parent: InodeNumber, permissions: UInt32, flags: OpenFlags,
    reply: consuming CreateReply
  ) {
    let made = tree.withLock { tree -> FileAttributes? in
      let inode = tree.make(
        .regular, permissions: permissions, caller: context.caller, now: Self.now())
      tree.files[inode]?.attributes.linkCount = 0
      tree.files[inode]?.lookupCount = 1
      return tree.files[inode]?.attributes
    }
    if let made { reply.created(made, handle: .none) } else { reply.fail(.inputOutput) }
  }

  package func link(
    _ context: RequestContext, inode: InodeNumber, newParent: InodeNumber, newName: RequestBytes,
    reply: consuming EntryReply
  ) {
    let name = Array(newName)
    let result = tree.withLock { tree -> Result<FileAttributes, FileError> in
      guard tree.child(name, of: newParent) == nil else { return .failure(.exists) }
      guard tree.files[inode] != nil else { return .failure(.noEntry) }
      tree.attach(inode, as: name, to: newParent)
      tree.files[inode]?.attributes.linkCount += 1
      tree.files[inode]?.attributes.changed = Self.now()
      tree.files[inode]?.lookupCount += 1
      guard let attributes = tree.files[inode]?.attributes else { return .failure(.noEntry) }
      return .success(attributes)
    }
    answer(result, reply)
  }

  package func unlink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) {
    let name = Array(name)
    let error = tree.withLock { tree -> FileError? in
      guard let inode = tree.child(name, of: parent) else { return .noEntry }
      guard tree.files[inode]?.attributes.kind != .directory else { return .isDirectory }
      tree.detach(name, from: parent)
      tree.dropLink(inode, now: Self.now())
      return nil
    }
    answer(error, reply)
  }

  package func removeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) {
    let name = Array(name)
    let error = tree.withLock { tree -> FileError? in
      guard let inode = tree.child(name, of: parent), let file = tree.files[inode] else {
        return .noEntry
      }
      guard file.attributes.kind == .directory else { return .notDirectory }
      guard file.entries.isEmpty else { return .directoryNotEmpty }
      tree.detach(name, from: parent)
      tree.files[parent]?.attributes.linkCount -= 1
      tree.dropLink(inode, now: Self.now())
      return nil
    }
    answer(error, reply)
  }

  package func rename(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, newParent: InodeNumber,
    newName: RequestBytes, flags: RenameFlags, reply: consuming EmptyReply
  ) {
    let (name, newName) = (Array(name), Array(newName))
    let error = tree.withLock { tree in
      tree.rename(name, in: parent, to: newName, in: newParent, flags, now: Self.now())
    }
    answer(error, reply)
  }
}

extension MemoryTree {
  /// One name of the inode is gone.
  mutating func dropLink(_ inode: InodeNumber, now: Timestamp) {
    guard let attributes = files[inode]?.attributes else { return }
    let isDirectory = attributes.kind == .directory
    files[inode]?.attributes.linkCount = isDirectory ? 0 : attributes.linkCount - 1
    files[inode]?.attributes.changed = now
    reap(inode)
  }

  mutating func rename(
    _ name: [UInt8], in parent: InodeNumber, to newName: [UInt8], in newParent: InodeNumber,
    _ flags: RenameFlags, now: Timestamp
  ) -> FileError? {
    guard !flags.contains(.whiteout) else { return .invalid }
    guard let inode = child(name, of: parent) else { return .noEntry }
    let existing = child(newName, of: newParent)
    if flags.contains(.exchange) {
      guard let existing else { return .noEntry }
      detach(name, from: parent)
      detach(newName, from: newParent)
      attach(existing, as: name, to: parent)
      attach(inode, as: newName, to: newParent)
      return nil
    }
    if let existing {
      guard !flags.contains(.noReplace) else { return .exists }
      guard existing != inode else { return nil }
      guard files[existing]?.entries.isEmpty != false else { return .directoryNotEmpty }
      detach(newName, from: newParent)
      dropLink(existing, now: now)
    }
    detach(name, from: parent)
    attach(inode, as: newName, to: newParent)
    files[inode]?.attributes.changed = now
    return nil
  }
}
