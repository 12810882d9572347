internal import CFuse3
internal import Glibc
internal import StorageModel

/// What a reader thread works with: the request it read and its memory for answers.
struct ReaderFrame {
  /// The whole request, from `struct fuse_in_header` on.
  let request: UnsafeRawPointer
  let scratch: UnsafeMutableRawBufferPointer
}

/// A request on its way to the handler.
struct IncomingRequest {
  let session: SessionState
  let context: RequestContext
  let token: ReplyToken
  /// The whole request as the kernel sent it.
  let bytes: UnsafeRawPointer

  var handler: any FileSystemHandler { session.handler }

  /// nil, and answered, if called on a thread that is no reader of this session.
  init?(_ request: fuse_req_t?) {
    guard let request, let userData = fuse_req_userdata(request) else { return nil }
    session = Unmanaged<SessionState>.fromOpaque(userData).takeUnretainedValue()
    guard
      let frame = pthread_getspecific(session.frameKey)?
        .assumingMemoryBound(to: ReaderFrame.self),
      let caller = fuse_req_ctx(request)
    else {
      fuse_reply_err(request, EIO)
      return nil
    }
    bytes = frame.pointee.request
    context = RequestContext(
      caller: Caller(
        userID: caller.pointee.uid, groupID: caller.pointee.gid, processID: caller.pointee.pid,
        umask: caller.pointee.umask),
      identity: RequestIdentity(
        unique: bytes.load(
          fromByteOffset: KernelProtocol.RequestOffset.unique, as: UInt64.self)),
      scratch: frame.pointee.scratch)
    token = ReplyToken(.library(request), session: session)
  }

  /// A request that libfuse does not know.
  init(_ frame: ReaderFrame, session: SessionState, umask: UInt32) {
    typealias Offset = KernelProtocol.RequestOffset
    self.session = session
    bytes = frame.request
    let unique = bytes.load(fromByteOffset: Offset.unique, as: UInt64.self)
    context = RequestContext(
      caller: Caller(
        userID: bytes.load(fromByteOffset: Offset.user, as: UInt32.self),
        groupID: bytes.load(fromByteOffset: Offset.group, as: UInt32.self),
        processID: bytes.load(fromByteOffset: Offset.process, as: Int32.self), umask: umask),
      identity: RequestIdentity(unique: unique), scratch: frame.scratch)
    token = ReplyToken(.device(unique: unique), session: session)
  }
}

extension UnsafePointer<CChar> {
  /// The bytes of a C string, without its end.
  var nameBytes: RequestBytes { RequestBytes(start: self, count: strlen(self)) }
}

extension UnsafeMutablePointer<fuse_file_info>? {
  var handle: FileHandle { FileHandle(self?.pointee.fh ?? 0) }
  var optionalHandle: FileHandle? { map { FileHandle($0.pointee.fh) } }
  var openFlags: OpenFlags { OpenFlags(rawValue: self?.pointee.flags ?? 0) }
}
