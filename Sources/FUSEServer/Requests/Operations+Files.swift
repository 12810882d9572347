internal import CFuse3
internal import Glibc
internal import StorageModel

extension Operations {
  static func addFiles(to table: inout fuse_lowlevel_ops) {
    table.open = { request, inode, information in
      guard let request = IncomingRequest(request) else { return }
      let reply = OpenReply(request.token)
      guard !request.session.configuration.opensAreStateless else {
        reply.fail(.notImplemented)
        return
      }
      request.handler.open(
        request.context, inode: InodeNumber(inode), flags: information.openFlags, reply: reply)
    }
    table.create = { request, parent, name, mode, information in
      guard let request = IncomingRequest(request), let name else { return }
      request.handler.create(
        request.context, parent: InodeNumber(parent), name: name.nameBytes,
        permissions: UInt32(mode) & 0o7777, flags: information.openFlags,
        reply: CreateReply(request.token))
    }
    table.flush = { request, inode, information in
      guard let request = IncomingRequest(request) else { return }
      request.handler.flush(
        request.context, inode: InodeNumber(inode), handle: information.handle,
        reply: EmptyReply(request.token))
    }
    table.release = { request, inode, information in
      guard let request = IncomingRequest(request) else { return }
      request.handler.release(
        request.context, inode: InodeNumber(inode), handle: information.handle,
        flags: information.openFlags, reply: EmptyReply(request.token))
    }
    table.fsync = { request, inode, dataOnly, information in
      guard let request = IncomingRequest(request) else { return }
      request.handler.sync(
        request.context, inode: InodeNumber(inode), handle: information.handle,
        dataOnly: dataOnly != 0, reply: EmptyReply(request.token))
    }
    addData(to: &table)
  }

  private static func addData(to table: inout fuse_lowlevel_ops) {
    table.read = { request, inode, byteCount, offset, information in
      guard let request = IncomingRequest(request) else { return }
      request.handler.read(
        request.context, inode: InodeNumber(inode), handle: information.handle,
        offsetBytes: UInt64(bitPattern: Int64(offset)), byteCount: byteCount,
        reply: DataReply(request.token))
    }
    table.write = { request, inode, data, byteCount, offset, information in
      guard let request = IncomingRequest(request) else { return }
      request.handler.write(
        request.context, inode: InodeNumber(inode), handle: information.handle,
        offsetBytes: UInt64(bitPattern: Int64(offset)),
        data: RequestBytes(start: data, count: byteCount),
        flags: Operations.writeFlags(request.bytes, information), reply: WriteReply(request.token))
    }
  }

  static func addFileRanges(to table: inout fuse_lowlevel_ops) {
    table.fallocate = { request, inode, mode, offset, length, information in
      guard let request = IncomingRequest(request) else { return }
      request.handler.allocate(
        request.context, inode: InodeNumber(inode), handle: information.handle,
        mode: AllocationMode(rawValue: mode), offsetBytes: UInt64(bitPattern: Int64(offset)),
        byteCount: UInt64(bitPattern: Int64(length)), reply: EmptyReply(request.token))
    }
    table.lseek = { request, inode, offset, whence, information in
      guard let request = IncomingRequest(request) else { return }
      let reply = SeekReply(request.token)
      let isData = whence == KernelProtocol.seekData
      guard isData || whence == KernelProtocol.seekHole else {
        reply.fail(.invalid)
        return
      }
      request.handler.seek(
        request.context, inode: InodeNumber(inode), handle: information.handle,
        offsetBytes: UInt64(bitPattern: Int64(offset)), target: isData ? .data : .hole,
        reply: reply)
    }
    table.copy_file_range = {
      request, inode, offset, source, newInode, newOffset, target, length, _
      in
      guard let request = IncomingRequest(request) else { return }
      request.handler.copyRange(
        request.context,
        from: CopyEnd(
          inode: InodeNumber(inode), handle: source.handle,
          offsetBytes: UInt64(bitPattern: Int64(offset))),
        to: CopyEnd(
          inode: InodeNumber(newInode), handle: target.handle,
          offsetBytes: UInt64(bitPattern: Int64(newOffset))),
        byteCount: UInt64(length), reply: WriteReply(request.token))
    }
  }

  private static func writeFlags(
    _ request: UnsafeRawPointer, _ information: UnsafeMutablePointer<fuse_file_info>?
  ) -> WriteFlags {
    var flags: WriteFlags = []
    if information?.pointee.writepage ?? 0 != 0 { flags.insert(.fromCache) }
    let kernelFlags = request.load(
      fromByteOffset: KernelProtocol.writeFlagsOffset, as: UInt32.self)
    if kernelFlags & KernelProtocol.writeKillPrivileges != 0 { flags.insert(.dropsPrivileges) }
    if information.openFlags.isSynchronous { flags.insert(.synchronous) }
    return flags
  }
}
