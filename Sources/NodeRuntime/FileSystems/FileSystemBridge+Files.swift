import FUSEServer
import StorageModel
import VFS

/// Files' data and their extended attributes.
///
/// Opens are stateless: the kernel sends none, and a file without a name lives until the kernel
/// forgets its inode. So a daemon that takes a mount over has nothing to rebuild.
extension FileSystemBridge {
  func open(
    _ context: RequestContext, inode: InodeNumber, flags: OpenFlags, reply: consuming OpenReply
  ) {
    reply.opened(.none)
  }

  func create(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    flags: OpenFlags, reply: consuming CreateReply
  ) {
    let request = fileRequest(context)
    finishCreation("create", reply) { files, engine throws(FileSystemFailure) in
      try files.create(
        [UInt8](name), in: parent, permissions: permissions, store: &engine, for: request)
    }
  }

  func createUnnamed(
    _ context: RequestContext, parent: InodeNumber, permissions: UInt32, flags: OpenFlags,
    reply: consuming CreateReply
  ) {
    let request = fileRequest(context)
    finishCreation("tmpfile", reply) { files, engine throws(FileSystemFailure) in
      try files.makeTemporary(
        in: parent, permissions: permissions, store: &engine, for: request)
    }
  }

  private func finishCreation(
    _ operation: StaticString, _ reply: consuming CreateReply,
    _ body: VolumeHost.Change<FileAttributes>
  ) {
    do throws(FileSystemFailure) {
      let attributes = try volume.change { files, engine throws(FileSystemFailure) in
        try body(&files, &engine)
      }
      reply.created(attributes, handle: .none)
    } catch {
      reply.fail(answer(to: error, operation))
    }
  }

  func release(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, flags: OpenFlags,
    reply: consuming EmptyReply
  ) {
    reply.done()
  }

  func read(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    byteCount: Int, reply: consuming DataReply
  ) {
    do throws(FileSystemFailure) {
      let count = try volume.read(
        inode, at: offsetBytes,
        into: UnsafeMutableRawBufferPointer(rebasing: context.scratch[..<byteCount]))
      reply.data(UnsafeRawBufferPointer(rebasing: context.scratch[..<count]))
    } catch {
      reply.fail(answer(to: error, "read"))
    }
  }

  func write(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    data: RequestBytes, flags: WriteFlags, reply: consuming WriteReply
  ) {
    var options: WriteOptions = []
    if flags.contains(.dropsPrivileges) { options.insert(.dropsPrivileges) }
    if flags.contains(.fromCache) { options.insert(.keepsTimes) }
    do throws(FileSystemFailure) {
      try volume.write(
        data, to: inode, at: offsetBytes, options: options, request: fileRequest(context),
        scratch: context.scratch)
      if flags.contains(.synchronous) { try volume.syncFiles() }
      reply.written(byteCount: data.count)
    } catch {
      reply.fail(answer(to: error, "write"))
    }
  }

  func sync(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, dataOnly: Bool,
    reply: consuming EmptyReply
  ) {
    sync(reply)
  }

  func allocate(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle,
    mode: FUSEServer.AllocationMode, offsetBytes: UInt64, byteCount: UInt64,
    reply: consuming EmptyReply
  ) {
    guard let rawMode = UInt32(exactly: mode.rawValue) else {
      reply.fail(.notSupported)
      return
    }
    let request = fileRequest(context)
    finish("fallocate", reply) { files, engine throws(FileSystemFailure) in
      try files.allocate(
        VFS.AllocationMode(rawValue: rawMode), in: inode, at: offsetBytes, byteCount: byteCount,
        store: &engine, for: request)
    }
  }

  func seek(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    target: FUSEServer.SeekTarget, reply: consuming SeekReply
  ) {
    let wanted: VFS.SeekTarget = target == .data ? .data : .hole
    do throws(FileSystemFailure) {
      reply.found(
        atOffsetBytes: try volume.look { files, engine throws(FileSystemFailure) in
          try files.seek(wanted, in: inode, from: offsetBytes, store: engine)
        })
    } catch {
      reply.fail(answer(to: error, "lseek"))
    }
  }

  // MARK: Extended attributes

  func setExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, value: RequestBytes,
    mode: AttributeWriteMode, reply: consuming EmptyReply
  ) {
    let flags: XattrFlags =
      switch mode {
      case .createOrReplace: []
      case .createOnly: .create
      case .replaceOnly: .replace
      }
    let request = fileRequest(context)
    finish("setxattr", reply) { files, engine throws(FileSystemFailure) in
      try files.setXattr(
        [UInt8](name), of: inode, to: [UInt8](value), flags: flags, store: &engine, for: request)
    }
  }

  func getExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes,
    reply: consuming ExtendedAttributeReply
  ) {
    do throws(FileSystemFailure) {
      let value = try volume.look { files, engine throws(FileSystemFailure) in
        try files.xattr([UInt8](name), of: inode, store: engine)
      }
      reply.value(context.stage(value))
    } catch {
      reply.fail(answer(to: error, "getxattr"))
    }
  }

  func listExtendedAttributes(
    _ context: RequestContext, inode: InodeNumber, reply: consuming ExtendedAttributeReply
  ) {
    do throws(FileSystemFailure) {
      let names = try volume.look { files, engine throws(FileSystemFailure) in
        try files.xattrNames(of: inode, store: engine)
      }
      var list: [UInt8] = []
      for name in names { list += name + [0] }
      reply.value(context.stage(list))
    } catch {
      reply.fail(answer(to: error, "listxattr"))
    }
  }

  func removeExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) {
    let request = fileRequest(context)
    finish("removexattr", reply) { files, engine throws(FileSystemFailure) in
      try files.removeXattr([UInt8](name), of: inode, store: &engine, for: request)
    }
  }
}
