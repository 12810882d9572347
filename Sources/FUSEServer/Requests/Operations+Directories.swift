internal import CFuse3
internal import Glibc
internal import StorageModel

extension Operations {
  static func addDirectories(to table: inout fuse_lowlevel_ops) {
    table.mkdir = { request, parent, name, mode in
      guard let request = IncomingRequest(request), let name else { return }
      request.handler.makeDirectory(
        request.context, parent: InodeNumber(parent), name: name.nameBytes,
        permissions: UInt32(mode) & 0o7777, reply: EntryReply(request.token))
    }
    table.rmdir = { request, parent, name in
      guard let request = IncomingRequest(request), let name else { return }
      request.handler.removeDirectory(
        request.context, parent: InodeNumber(parent), name: name.nameBytes,
        reply: EmptyReply(request.token))
    }
    table.opendir = { request, inode, information in
      guard let request = IncomingRequest(request) else { return }
      let reply = OpenReply(request.token, isDirectory: true)
      guard !request.session.configuration.opensAreStateless else {
        reply.fail(.notImplemented)
        return
      }
      request.handler.openDirectory(
        request.context, inode: InodeNumber(inode), flags: information.openFlags, reply: reply)
    }
    table.readdir = { request, inode, byteCount, position, information in
      Operations.list(request, inode, byteCount, position, information, includesAttributes: false)
    }
    table.readdirplus = { request, inode, byteCount, position, information in
      Operations.list(request, inode, byteCount, position, information, includesAttributes: true)
    }
    table.releasedir = { request, inode, information in
      guard let request = IncomingRequest(request) else { return }
      request.handler.releaseDirectory(
        request.context, inode: InodeNumber(inode), handle: information.handle,
        reply: EmptyReply(request.token))
    }
    table.fsyncdir = { request, inode, dataOnly, information in
      guard let request = IncomingRequest(request) else { return }
      request.handler.syncDirectory(
        request.context, inode: InodeNumber(inode), handle: information.handle,
        dataOnly: dataOnly != 0, reply: EmptyReply(request.token))
    }
  }

  private static func list(
    _ request: fuse_req_t?, _ inode: fuse_ino_t, _ byteCount: Int, _ position: off_t,
    _ information: UnsafeMutablePointer<fuse_file_info>?, includesAttributes: Bool
  ) {
    guard let request = IncomingRequest(request) else { return }
    let scratch = request.context.scratch
    let room = UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(byteCount, scratch.count)])
    request.handler.readDirectory(
      request.context, inode: InodeNumber(inode), handle: information.handle,
      position: UInt64(bitPattern: Int64(position)),
      reply: DirectoryReply(
        request.token, encoder: DirectoryEncoder(room, includesAttributes: includesAttributes)))
  }

  static func addExtendedAttributes(to table: inout fuse_lowlevel_ops) {
    table.setxattr = { request, inode, name, value, byteCount, flags in
      guard let request = IncomingRequest(request), let name else { return }
      let mode: AttributeWriteMode =
        switch flags {
        case KernelProtocol.attributeCreate: .createOnly
        case KernelProtocol.attributeReplace: .replaceOnly
        default: .createOrReplace
        }
      request.handler.setExtendedAttribute(
        request.context, inode: InodeNumber(inode), name: name.nameBytes,
        value: RequestBytes(start: value, count: byteCount), mode: mode,
        reply: EmptyReply(request.token))
    }
    table.getxattr = { request, inode, name, byteCount in
      guard let request = IncomingRequest(request), let name else { return }
      request.handler.getExtendedAttribute(
        request.context, inode: InodeNumber(inode), name: name.nameBytes,
        reply: ExtendedAttributeReply(request.token, capacityByteCount: byteCount))
    }
    table.listxattr = { request, inode, byteCount in
      guard let request = IncomingRequest(request) else { return }
      request.handler.listExtendedAttributes(
        request.context, inode: InodeNumber(inode),
        reply: ExtendedAttributeReply(request.token, capacityByteCount: byteCount))
    }
    table.removexattr = { request, inode, name in
      guard let request = IncomingRequest(request), let name else { return }
      request.handler.removeExtendedAttribute(
        request.context, inode: InodeNumber(inode), name: name.nameBytes,
        reply: EmptyReply(request.token))
    }
  }
}
