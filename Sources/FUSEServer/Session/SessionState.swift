internal import CFuse3
internal import Glibc
internal import Synchronization

/// What the callbacks of one session need: the handler, the regime, and what was negotiated.
///
/// @unchecked: `phase`, `configuration` and the captured bytes change only before the first
/// reader thread starts; everything else is atomic or constant.
final class SessionState: @unchecked Sendable {
  /// What becomes of an answer that libfuse writes. `opening` → `serving`, `adopting` → `serving`.
  enum Phase {
    /// The answer to INIT is completed, kept and sent.
    case opening
    /// The answer to INIT, which the kernel got long ago, is dropped.
    case adopting
    case serving
  }

  let handler: any FileSystemHandler
  let device: FUSEDevice
  let counters = RequestCounters()
  /// Key of the reader thread's `ReaderFrame`.
  let frameKey: pthread_key_t
  var configuration: SessionConfiguration
  var phase: Phase
  /// The bytes of INIT and of its answer, for a later daemon.
  var initRequest: [UInt8] = []
  var initReply: [UInt8] = []
  /// Cached for the hot path.
  private(set) var validity: CacheValidity

  private let outstanding = Atomic<Int>(0)

  init(
    handler: any FileSystemHandler, configuration: SessionConfiguration, device: FUSEDevice,
    phase: Phase, frameKey: pthread_key_t
  ) {
    self.handler = handler
    self.configuration = configuration
    self.device = device
    self.phase = phase
    self.frameKey = frameKey
    validity = configuration.validity
  }

  deinit { pthread_key_delete(frameKey) }

  /// Requests that were read and not yet answered.
  var outstandingCount: Int { outstanding.load(ordering: .acquiring) }

  func requestBegan() { outstanding.add(1, ordering: .relaxed) }
  func requestEnded() { outstanding.subtract(1, ordering: .releasing) }

  /// Chooses from what the kernel offers (callback of INIT).
  func negotiate(_ connection: inout fuse_conn_info) {
    func want(_ capability: Int32, _ isWanted: Bool) {
      let bit = UInt32(bitPattern: capability)
      connection.want &= ~bit
      if isWanted { connection.want |= bit & connection.capable }
    }
    let isExclusive = configuration.regime == .exclusive
    want(FUSE_CAP_WRITEBACK_CACHE, isExclusive && !configuration.isReadOnly)
    want(FUSE_CAP_ASYNC_READ, true)
    want(FUSE_CAP_ASYNC_DIO, true)
    want(FUSE_CAP_PARALLEL_DIROPS, true)
    want(FUSE_CAP_READDIRPLUS, true)
    want(FUSE_CAP_READDIRPLUS_AUTO, false)
    want(FUSE_CAP_CACHE_SYMLINKS, true)
    want(FUSE_CAP_AUTO_INVAL_DATA, !isExclusive && !configuration.invalidatesExplicitly)
    want(FUSE_CAP_EXPLICIT_INVAL_DATA, !isExclusive && configuration.invalidatesExplicitly)
    // Truncation is always a SETATTR of its own: one place that drops privileges and is resent.
    want(FUSE_CAP_ATOMIC_O_TRUNC, false)
    // Version 2 of it is negotiated in `completeInitReply`.
    want(FUSE_CAP_HANDLE_KILLPRIV, false)
    want(FUSE_CAP_POSIX_ACL, false)
    want(FUSE_CAP_POSIX_LOCKS, false)
    want(FUSE_CAP_FLOCK_LOCKS, false)
    want(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE, false)
    let stateless = UInt32(FUSE_CAP_NO_OPEN_SUPPORT) | UInt32(FUSE_CAP_NO_OPENDIR_SUPPORT)
    if connection.capable & stateless != stateless { configuration.opensAreStateless = false }
    connection.max_write = UInt32(SessionConfiguration.maximumTransferByteCount)
    connection.max_background = 64
    connection.congestion_threshold = 48
  }

  /// Writes what libfuse answers (`fuse_custom_io.writev`).
  func write(_ vector: UnsafeMutablePointer<iovec>, count: Int32) -> Int {
    switch phase {
    case .serving: return writev(device.descriptor, vector, count)
    case .adopting:
      return (0..<Int(count)).reduce(0) { $0 + vector[$1].iov_len }
    case .opening:
      completeInitReply(vector, count: Int(count))
      return writev(device.descriptor, vector, count)
    }
  }

  /// Adds what libfuse 3.14 cannot ask for: the kernel tells us when a write or truncation has to
  /// drop privileges, and so need not query `security.capability` before each write.
  private func completeInitReply(_ vector: UnsafeMutablePointer<iovec>, count: Int) {
    let offset = KernelProtocol.initFlagsOffset
    let offeredOffset = KernelProtocol.requestHeadByteCount + offset
    if count == 2, let reply = vector[1].iov_base, vector[1].iov_len >= offset + 4,
      initRequest.count >= offeredOffset + 4
    {
      let offered = initRequest.withUnsafeBytes {
        $0.loadUnaligned(fromByteOffset: offeredOffset, as: UInt32.self)
      }
      let flags = reply.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
      reply.storeBytes(
        of: flags | offered & KernelProtocol.initHandleKillPrivilegesV2, toByteOffset: offset,
        as: UInt32.self)
    }
    for index in 0..<count {
      initReply += UnsafeRawBufferPointer(
        start: vector[index].iov_base, count: vector[index].iov_len)
    }
  }
}
