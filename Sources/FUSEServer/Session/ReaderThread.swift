internal import CFuse3
internal import Glibc
internal import Synchronization

/// What the reader threads of one session share.
///
/// @unchecked: constant but for atomics; libfuse's session locks itself.
final class ReaderLoop: @unchecked Sendable {
  let session: SessionState
  let library: OpaquePointer

  private let isStopping = Atomic<Bool>(false)
  private let isPolling = Atomic<Bool>(false)
  private let runningCount = Atomic<Int>(0)

  init(session: SessionState, library: OpaquePointer) {
    self.session = session
    self.library = library
  }

  /// Readers return after the request that they have in hand.
  func stop() { isStopping.store(true, ordering: .releasing) }

  func readerStarts() { runningCount.add(1, ordering: .relaxed) }

  /// Serves until told to stop or the file system is gone.
  fileprivate func run() {
    // Best effort: without the capability, the dirty limit of `BackingDevice` has to do.
    _ = galleonfs_set_io_flusher()
    guard let memory = ReaderMemory() else { return readerEnds(isUnmounted: false) }
    defer { memory.free() }
    var frame = ReaderFrame(request: UnsafeRawPointer(memory.request), scratch: memory.scratch)
    let isUnmounted = withUnsafeMutablePointer(to: &frame) { frame in
      pthread_setspecific(session.frameKey, frame)
      defer { pthread_setspecific(session.frameKey, nil) }
      return serve(memory, frame.pointee)
    }
    readerEnds(isUnmounted: isUnmounted)
  }

  /// Whether it ended because the file system is gone.
  private func serve(_ memory: ReaderMemory, _ frame: ReaderFrame) -> Bool {
    var credit = PollingCredit()
    while !isStopping.load(ordering: .acquiring) {
      pollBriefly(&credit)
      let byteCount = read(session.device.descriptor, memory.request, ReaderMemory.requestByteCount)
      guard byteCount >= KernelProtocol.requestHeadByteCount else {
        // ENOENT: the caller was interrupted before we read its request.
        if byteCount >= 0 || errno == EINTR || errno == EAGAIN || errno == ENOENT { continue }
        return true
      }
      dispatch(frame, byteCount: byteCount)
    }
    return false
  }

  /// Looks for the next request without sleeping, one reader at a time and not for long: a thread
  /// that sleeps costs its wake-up, 20 to 50 µs on a virtual machine. Others who want the processor
  /// get it; when requests do not follow each other closely, it is only tried now and then.
  private func pollBriefly(_ credit: inout PollingCredit) {
    guard let limit = session.configuration.pollingTime, credit.isWorthTrying(),
      !isPolling.exchange(true, ordering: .acquiring)
    else { return }
    defer { isPolling.store(false, ordering: .releasing) }
    let deadline = ContinuousClock.now + limit
    var state = pollfd(fd: session.device.descriptor, events: Int16(POLLIN), revents: 0)
    repeat {
      if poll(&state, 1, 0) != 0 { return credit.succeeded() }
      sched_yield()
    } while ContinuousClock.now < deadline
    credit.failed()
  }

  private func dispatch(_ frame: ReaderFrame, byteCount: Int) {
    let opcode = frame.request.load(
      fromByteOffset: KernelProtocol.RequestOffset.opcode, as: UInt32.self)
    session.counters.count(opcode)
    guard
      !UnknownOperations.handle(frame, opcode: opcode, byteCount: byteCount, session: session)
    else { return }
    var buffer = fuse_buf()
    buffer.mem = UnsafeMutableRawPointer(mutating: frame.request)
    buffer.size = byteCount
    fuse_session_process_buf(library, &buffer)
  }

  private func readerEnds(isUnmounted: Bool) {
    let remaining = runningCount.subtract(1, ordering: .acquiringAndReleasing).newValue
    if remaining == 0, isUnmounted { session.handler.unmounted() }
  }
}

/// Whether polling has paid lately.
private struct PollingCredit {
  private static let maximum = 8
  /// With no credit left, one of so many requests is polled for.
  private static let trialInterval = 16

  private var credit = maximum
  private var skippedCount = 0

  mutating func isWorthTrying() -> Bool {
    if credit > 0 { return true }
    skippedCount += 1
    return skippedCount % Self.trialInterval == 0
  }

  mutating func succeeded() { credit = min(credit + 1, Self.maximum) }
  mutating func failed() { credit = max(credit - 1, 0) }
}

/// A reader thread's two buffers.
///
/// The request starts 80 bytes before a page boundary, so that the data of a write is aligned.
private struct ReaderMemory {
  static let pageByteCount = 4096
  static let requestByteCount =
    KernelProtocol.writeHeadByteCount + SessionConfiguration.maximumTransferByteCount

  let request: UnsafeMutableRawPointer
  let scratch: UnsafeMutableRawBufferPointer
  private let base: UnsafeMutableRawPointer

  init?() {
    let transfer = SessionConfiguration.maximumTransferByteCount
    var memory: UnsafeMutableRawPointer?
    guard
      posix_memalign(&memory, Self.pageByteCount, 2 * transfer + 2 * Self.pageByteCount) == 0,
      let memory
    else { return nil }
    base = memory
    // The kernel copies requests into pages that are there. For one that is not, it would have to
    // make it, and a process that is being killed gets none: the request, perhaps a write of
    // another program's cached data, would fail instead of waiting for the next daemon.
    memset(memory, 0, Self.pageByteCount + transfer)
    request = memory + (Self.pageByteCount - KernelProtocol.writeHeadByteCount)
    scratch = UnsafeMutableRawBufferPointer(
      start: memory + Self.pageByteCount + transfer, count: transfer + Self.pageByteCount)
  }

  func free() { Glibc.free(base) }
}

/// One thread that reads requests.
struct ReaderThread {
  private let thread: pthread_t

  /// Starts a thread on which all signals but faults and the wake signal are blocked.
  static func start(_ loop: ReaderLoop, name: String) throws(FUSEError) -> ReaderThread {
    WakeSignal.installHandler()
    loop.readerStarts()
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(loop)
    var blocked = sigset_t()
    var previous = sigset_t()
    sigfillset(&blocked)
    sigdelset(&blocked, WakeSignal.number)
    // Faults keep their handlers, which print where it was.
    for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] {
      sigdelset(&blocked, fault)
    }
    pthread_sigmask(SIG_SETMASK, &blocked, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
    let result = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<ReaderLoop>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard result == 0 else {
      argument.release()
      throw FUSEError(operation: "start a reader thread", path: "", errorNumber: result)
    }
    pthread_setname_np(thread, String(name.prefix(15)))
    return ReaderThread(thread: thread)
  }

  /// Interrupts the thread's wait for requests until it has returned.
  func wakeAndJoin() {
    repeat { pthread_kill(thread, WakeSignal.number) } while !join(withinMilliseconds: 2)
  }

  /// Waits until the thread has returned.
  func join() { pthread_join(thread, nil) }

  private func join(withinMilliseconds milliseconds: Int) -> Bool {
    var deadline = timespec()
    clock_gettime(CLOCK_REALTIME, &deadline)
    deadline.tv_nsec += milliseconds * 1_000_000
    if deadline.tv_nsec >= 1_000_000_000 {
      deadline.tv_nsec -= 1_000_000_000
      deadline.tv_sec += 1
    }
    return pthread_timedjoin_np(thread, nil, &deadline) == 0
  }
}

/// The real-time signal that interrupts a reader's `read`; its handler does nothing.
private enum WakeSignal {
  static var number: Int32 { __libc_current_sigrtmin() + 3 }

  static func installHandler() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(number, &action, nil)
  }
}
