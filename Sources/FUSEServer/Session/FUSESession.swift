internal import CFuse3
internal import Glibc
package import StorageModel
internal import Synchronization

/// One mounted file system and the threads that serve it.
///
/// Life: `init` mounts (or adopts) and negotiates → `start` serves → the file system is unmounted
/// (by `unmount` or by anybody) or `handOver` leaves it to the next daemon → `close`.
package final class FUSESession: Sendable {
  private struct Threads {
    var readers: [ReaderThread] = []
    var isClosed = false
  }

  /// Where it was mounted; empty when adopted.
  package let mountPoint: String

  private let state: SessionState
  private let loop: ReaderLoop
  private let threads = Mutex(Threads())

  /// Mounts a file system at a directory and answers the kernel's INIT. Needs root.
  package init(
    mountingAt mountPoint: String, handler: any FileSystemHandler,
    configuration: SessionConfiguration
  ) throws(FUSEError) {
    let descriptor = try KernelMount.mount(at: mountPoint, configuration)
    do throws(FUSEError) {
      (state, loop) = try Self.makeParts(handler, configuration, descriptor, phase: .opening)
      try Self.answerInit(state, loop)
    } catch {
      umount2(mountPoint, Int32(MNT_DETACH))
      throw error
    }
    self.mountPoint = mountPoint
    state.phase = .serving
    BackingDevice.tune(mountedAt: mountPoint)
  }

  /// Goes on with a file system whose daemon is gone: takes over `descriptor`, an open
  /// `/dev/fuse`. After `start`, `resendPending` brings back what the old daemon had in hand.
  package init(
    adopting descriptor: Int32, negotiated: NegotiatedSession, handler: any FileSystemHandler,
    configuration: SessionConfiguration
  ) throws(FUSEError) {
    var configuration = configuration
    configuration.regime = negotiated.regime
    configuration.isReadOnly = negotiated.isReadOnly
    configuration.opensAreStateless = negotiated.opensAreStateless
    configuration.invalidatesExplicitly = negotiated.invalidatesExplicitly
    (state, loop) = try Self.makeParts(handler, configuration, descriptor, phase: .adopting)
    state.initRequest = negotiated.initRequest
    state.initReply = negotiated.initReply
    Self.processInit(negotiated.initRequest, loop)
    mountPoint = ""
    state.phase = .serving
  }

  deinit {
    close()
    if state.outstandingCount == 0 {
      fuse_session_destroy(loop.library)
    } else {
      // An answer that comes later has to find its session.
      _ = Unmanaged.passRetained(state)
    }
  }

  /// Starts the reader threads. Call once.
  package func start() throws(FUSEError) {
    let configuration = state.configuration
    let count = min(max(configuration.readerThreadCount, 1), 64)
    for index in 0..<count {
      let name = "fuse \(configuration.label.prefix(7)) \(index)"
      let reader = try ReaderThread.start(loop, name: name)
      threads.withLock { $0.readers.append(reader) }
    }
  }

  /// The open `/dev/fuse`, for the mount keeper. The session's: valid until `close`.
  package var deviceDescriptor: Int32 { state.device.descriptor }

  /// What a later daemon needs to adopt the descriptor.
  package var negotiated: NegotiatedSession {
    let configuration = state.configuration
    return NegotiatedSession(
      regime: configuration.regime, isReadOnly: configuration.isReadOnly,
      opensAreStateless: configuration.opensAreStateless,
      invalidatesExplicitly: configuration.invalidatesExplicitly, initRequest: state.initRequest,
      initReply: state.initReply)
  }

  /// Requests served since the start, by kind.
  package var requestTotals: [String: UInt64] { state.counters.totals }

  /// Requests that wait for the handler's answer.
  package var outstandingRequestCount: Int { state.outstandingCount }

  /// Unmounts `mountPoint`: the kernel first writes back what it caches. `.busy` (EBUSY) while
  /// files are open, unless `lazily`: then the name goes at once, the rest with the last close.
  package func unmount(lazily: Bool = false) throws(FUSEError) {
    try KernelMount.unmount(mountPoint, lazily: lazily)
  }

  /// Stops serving but leaves the file system mounted, for a daemon that takes the descriptor
  /// from the keeper. Requests that are not answered yet can still be, until `close`; what comes
  /// from now on waits for the next daemon.
  package func handOver() {
    loop.stop()
    for reader in takeReaders() { reader.wakeAndJoin() }
  }

  /// Returns when the file system is gone: unmounted everywhere, and its last file closed.
  package func waitUntilUnmounted() {
    for reader in takeReaders() { reader.join() }
  }

  /// Stops serving and closes the device: without a keeper, callers then get ENOTCONN. Answers and
  /// notifications that come later go nowhere. Not to be called on a reader thread.
  package func close() {
    handOver()
    let isFirst = threads.withLock { threads in
      defer { threads.isClosed = true }
      return !threads.isClosed
    }
    guard isFirst else { return }
    // The number stays taken until the end, so that nobody else's file gets it and our answers.
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0 else { return }
    dup3(null, state.device.descriptor, O_CLOEXEC)
    Glibc.close(null)
  }

  private func takeReaders() -> [ReaderThread] {
    threads.withLock { threads in
      defer { threads.readers = [] }
      return threads.readers
    }
  }
}

extension FUSESession {
  /// The kernel sends again, marked as such, what was read from the device and not answered.
  /// False where the kernel cannot (before 6.9).
  @discardableResult
  package func resendPending() -> Bool {
    state.device.notify(code: KernelProtocol.notifyResend)
  }

  /// Drops cached pages of a file's range (`byteCount` 0: to its end) and its attributes;
  /// dirty pages are written back first. Not to be called on a reader thread.
  @discardableResult
  package func invalidate(
    inode: InodeNumber, offsetBytes: Int64 = 0, byteCount: Int64 = 0
  ) -> Bool {
    fuse_lowlevel_notify_inval_inode(
      loop.library, inode.rawValue, off_t(offsetBytes), off_t(byteCount)) == 0
  }

  /// Drops cached attributes only.
  @discardableResult
  package func invalidateAttributes(of inode: InodeNumber) -> Bool {
    fuse_lowlevel_notify_inval_inode(loop.library, inode.rawValue, -1, 0) == 0
  }

  /// Drops what is cached under a name. False if nothing was.
  @discardableResult
  package func invalidate(name: [UInt8], in parent: InodeNumber) -> Bool {
    (name + [0]).withUnsafeBytes { bytes in
      fuse_lowlevel_notify_inval_entry(
        loop.library, parent.rawValue, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
        name.count) == 0
    }
  }

  /// Tells that a name was removed elsewhere: as `invalidate(name:in:)`, and watchers see it.
  @discardableResult
  package func notifyDeletion(of child: InodeNumber, name: [UInt8], in parent: InodeNumber) -> Bool
  {
    (name + [0]).withUnsafeBytes { bytes in
      fuse_lowlevel_notify_delete(
        loop.library, parent.rawValue, child.rawValue,
        bytes.baseAddress?.assumingMemoryBound(to: CChar.self), name.count) == 0
    }
  }
}

extension FUSESession {
  /// Makes libfuse's session on a device; takes over the descriptor, also on failure.
  private static func makeParts(
    _ handler: any FileSystemHandler, _ configuration: SessionConfiguration, _ descriptor: Int32,
    phase: SessionState.Phase
  ) throws(FUSEError) -> (SessionState, ReaderLoop) {
    var key = pthread_key_t()
    let result = pthread_key_create(&key, nil)
    guard result == 0 else {
      Glibc.close(descriptor)
      throw FUSEError(operation: "make a thread-specific key", path: "", errorNumber: result)
    }
    let state = SessionState(
      handler: handler, configuration: configuration, device: FUSEDevice(descriptor: descriptor),
      phase: phase, frameKey: key)
    guard let library = makeLibrarySession(state) else {
      Glibc.close(descriptor)
      throw FUSEError(operation: "make a session of libfuse", path: "", errorNumber: ENOMEM)
    }
    return (state, ReaderLoop(session: state, library: library))
  }

  private static func makeLibrarySession(_ state: SessionState) -> OpaquePointer? {
    var table = Operations.table()
    var input = fuse_custom_io()
    input.writev = { _, vector, count, userData in
      guard let vector, let userData else { return -1 }
      return Unmanaged<SessionState>.fromOpaque(userData).takeUnretainedValue()
        .write(vector, count: count)
    }
    input.read = { descriptor, buffer, byteCount, _ in read(descriptor, buffer, byteCount) }
    let session = "galleonfs".withCString { name in
      var argument: UnsafeMutablePointer<CChar>? = UnsafeMutablePointer(mutating: name)
      return withUnsafeMutablePointer(to: &argument) { arguments in
        var arguments = fuse_args(argc: 1, argv: arguments, allocated: 0)
        return fuse_session_new(
          &arguments, &table, MemoryLayout<fuse_lowlevel_ops>.size,
          Unmanaged.passUnretained(state).toOpaque())
      }
    }
    guard let session else { return nil }
    guard fuse_session_custom_io(session, &input, state.device.descriptor) == 0 else {
      fuse_session_destroy(session)
      return nil
    }
    return session
  }

  /// Reads the kernel's first request and answers it; destroys libfuse's session on failure.
  private static func answerInit(
    _ state: SessionState, _ loop: ReaderLoop
  ) throws(FUSEError) {
    let capacity = KernelProtocol.writeHeadByteCount + SessionConfiguration.maximumTransferByteCount
    var request = [UInt8](repeating: 0, count: capacity)
    var byteCount = 0
    repeat {
      byteCount = request.withUnsafeMutableBytes {
        read(state.device.descriptor, $0.baseAddress, $0.count)
      }
    } while byteCount < 0 && errno == EINTR
    guard byteCount >= KernelProtocol.requestHeadByteCount else {
      let number = errno
      fuse_session_destroy(loop.library)
      throw FUSEError(operation: "read the kernel's INIT", path: "/dev/fuse", errorNumber: number)
    }
    state.initRequest = Array(request[..<byteCount])
    state.counters.count(KernelProtocol.Opcode.initialize)
    processInit(state.initRequest, loop)
    guard !state.initReply.isEmpty, fuse_session_exited(loop.library) == 0 else {
      fuse_session_destroy(loop.library)
      throw FUSEError(
        operation: "agree with the kernel on FUSE's protocol", path: "/dev/fuse",
        errorNumber: EPROTO)
    }
  }

  private static func processInit(_ request: [UInt8], _ loop: ReaderLoop) {
    var request = request
    request.withUnsafeMutableBytes { bytes in
      var buffer = fuse_buf()
      buffer.mem = bytes.baseAddress
      buffer.size = bytes.count
      fuse_session_process_buf(loop.library, &buffer)
    }
  }
}
