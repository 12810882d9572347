internal import CFuse3
internal import StorageModel

/// Requests of the kernel that libfuse 3.14 does not know.
enum UnknownOperations {
  /// Bytes of `struct fuse_create_in`: flags, mode, umask, open flags.
  private static let createByteCount = 16

  /// Hands the request to the handler; false if libfuse shall have it.
  static func handle(
    _ frame: ReaderFrame, opcode: UInt32, byteCount: Int, session: SessionState
  ) -> Bool {
    let head = KernelProtocol.requestHeadByteCount
    guard opcode == KernelProtocol.Opcode.tmpfile, byteCount >= head + createByteCount else {
      return false
    }
    let flags = frame.request.load(fromByteOffset: head, as: Int32.self)
    let mode = frame.request.load(fromByteOffset: head + 4, as: UInt32.self)
    let umask = frame.request.load(fromByteOffset: head + 8, as: UInt32.self)
    let parent = frame.request.load(
      fromByteOffset: KernelProtocol.RequestOffset.node, as: UInt64.self)
    let request = IncomingRequest(frame, session: session, umask: umask)
    session.handler.createUnnamed(
      request.context, parent: InodeNumber(parent), permissions: mode & 0o7777,
      flags: OpenFlags(rawValue: flags), reply: CreateReply(request.token))
    return true
  }
}
