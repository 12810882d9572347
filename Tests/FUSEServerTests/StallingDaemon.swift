import FUSEServer
import Glibc
import StorageModel
import Synchronization

/// One file, `stall`, whose writes are kept without an answer, or answered.
final class StallingHandler: WatchingHandler, @unchecked Sendable {
  private struct Content {
    var data: [UInt8] = []
    var kept: [ReplyToken] = []
    var resent: Set<UInt64> = []
  }

  private let stalls: Bool
  private let whenStalled: @Sendable () -> Void
  private let content = Mutex(Content())

  init(stalls: Bool, whenStalled: @escaping @Sendable () -> Void = {}) {
    self.stalls = stalls
    self.whenStalled = whenStalled
  }

  var data: [UInt8] { content.withLock { $0.data } }
  var resentNumbers: Set<UInt64> { content.withLock { $0.resent } }

  override func lookup(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EntryReply
  ) {
    guard name.elementsEqual("stall".utf8) else {
      reply.absent()
      return
    }
    reply.entry(Self.attributes(2, .regular))
  }

  override func setAttributes(
    _ context: RequestContext, inode: InodeNumber, changes: AttributeChanges, handle: FileHandle?,
    reply: consuming AttributesReply
  ) { reply.attributes(Self.attributes(2, .regular)) }

  override func write(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    data: RequestBytes, flags: WriteFlags, reply: consuming WriteReply
  ) {
    if stalls {
      let token = reply.detach()
      content.withLock { $0.kept.append(token) }
      whenStalled()
      return
    }
    content.withLock { content in
      if context.identity.isResend { content.resent.insert(context.identity.number) }
      let end = Int(offsetBytes) + data.count
      if content.data.count < end {
        content.data += repeatElement(0, count: end - content.data.count)
      }
      content.data.replaceSubrange(Int(offsetBytes)..<end, with: data)
    }
    reply.written(byteCount: data.count)
  }
}

/// A daemon in a child process that serves a `StallingHandler`, and this side's end of it.
///
/// The child is this test program again, told by the environment which test to run as what. It
/// inherits one end of a socket pair and sends over it the device and what was negotiated, then a
/// byte when the first write came.
final class StallingDaemon {
  private static let directoryVariable = "GALLEON_TEST_STALL_DIRECTORY"
  private static let regimeVariable = "GALLEON_TEST_STALL_REGIME"
  private static let channel: Int32 = 9

  private(set) var negotiated: [UInt8] = []
  private var descriptor: Int32 = -1
  private var process: pid_t = 0
  private let socket: Int32

  static var isChild: Bool { getenv(directoryVariable) != nil }

  init(mountingAt directory: String, _ regime: CachingRegime) throws {
    var ends: [Int32] = [0, 0]
    try check(socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends))
    socket = ends[0]
    defer { close(ends[1]) }
    setenv(Self.directoryVariable, directory, 1)
    setenv(Self.regimeVariable, regime.rawValue, 1)
    defer {
      unsetenv(Self.directoryVariable)
      unsetenv(Self.regimeVariable)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], Self.channel)
    posix_spawn_file_actions_addclose(&actions, ends[0])
    let arguments =
      [
        "/proc/self/exe", "--testing-library", "swift-testing", "--filter",
        "serves as the daemon",
      ]
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    let result = posix_spawn(
      &process, "/proc/self/exe", &actions, nil, &pointers, environ)
    guard result == 0 else { throw SystemError(number: result) }
    (descriptor, negotiated) = try receiveDescriptor()
  }

  deinit { close(socket) }

  func waitUntilStalled() throws {
    var byte: UInt8 = 0
    guard try check(recv(socket, &byte, 1, 0)) == 1 else { throw SystemError(number: EPIPE) }
  }

  func kill() throws {
    try check(Glibc.kill(process, SIGKILL))
    try check(waitpid(process, nil, 0))
  }

  func takeDescriptor() -> Int32 { descriptor }

  static func serveAsChild() throws {
    guard let directory = getenv(directoryVariable), let name = getenv(regimeVariable),
      let regime = CachingRegime(rawValue: String(cString: name))
    else { return }
    let handler = StallingHandler(stalls: true) {
      var byte: UInt8 = 1
      send(channel, &byte, 1, 0)
    }
    let session = try FUSESession(
      mountingAt: String(cString: directory), handler: handler,
      configuration: SessionConfiguration(regime: regime))
    try session.start()
    try sendDescriptor(session.deviceDescriptor, session.negotiated.bytes)
    session.waitUntilUnmounted()
  }
}

extension StallingDaemon {
  // struct cmsghdr with one descriptor: length 20, SOL_SOCKET, SCM_RIGHTS, descriptor.
  private static let controlByteCount = 24

  private static func sendDescriptor(_ descriptor: Int32, _ bytes: [UInt8]) throws {
    try exchange(bytes) { control, message in
      control.storeBytes(of: 20, as: Int.self)
      control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
      control.storeBytes(of: 1, toByteOffset: 12, as: Int32.self)
      control.storeBytes(of: descriptor, toByteOffset: 16, as: Int32.self)
      return sendmsg(channel, &message, 0)
    }
  }

  private func receiveDescriptor() throws -> (Int32, [UInt8]) {
    var descriptor: Int32 = -1
    let (count, bytes) = try Self.exchange([UInt8](repeating: 0, count: 1024)) {
      control, message in
      let count = recvmsg(socket, &message, 0)
      descriptor = control.load(fromByteOffset: 16, as: Int32.self)
      return count
    }
    return (descriptor, Array(bytes[..<count]))
  }

  @discardableResult
  private static func exchange(
    _ bytes: [UInt8], _ call: (UnsafeMutableRawPointer, inout msghdr) -> Int
  ) throws -> (Int, [UInt8]) {
    var bytes = bytes
    let control = UnsafeMutableRawPointer.allocate(byteCount: controlByteCount, alignment: 8)
    defer { control.deallocate() }
    let count = try bytes.withUnsafeMutableBytes { data in
      var vector = iovec(iov_base: data.baseAddress, iov_len: data.count)
      return try withUnsafeMutablePointer(to: &vector) { vector in
        var message = msghdr()
        message.msg_iov = vector
        message.msg_iovlen = 1
        message.msg_control = control
        message.msg_controllen = controlByteCount
        return try check(call(control, &message))
      }
    }
    return (count, bytes)
  }
}
