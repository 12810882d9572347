import CGRPC

/// A client's way to one server: connects when first used, reconnects by itself.
///
/// Calls hold the channel; it closes its connections when the last of them and its owner are gone.
package final class GRPCChannel: Sendable {
  package let address: TransportAddress
  private let core: ChannelCore

  /// Throws `invalidArgument` for bad PEM. Whether anybody answers shows with the first call.
  package init(
    to address: TransportAddress, security: ClientSecurity = .insecure,
    options: ChannelOptions = ChannelOptions()
  ) throws(GRPCStatus) {
    self.address = address
    core = try ChannelCore(address: address, security: security, options: options)
  }

  /// A call with any number of messages either way, started at once.
  ///
  /// Throws `invalidArgument` for metadata that cannot be sent.
  package func startCall(
    _ path: MethodPath, options: CallOptions = CallOptions()
  ) throws(GRPCStatus) -> ClientCall {
    try options.metadata.validate()
    return ClientCall(try core.makeCall(path, timeout: options.timeout), options)
  }

  /// A call with one message either way. Throws the server's status unless it is `ok`.
  ///
  /// Cancelling the task cancels the call.
  package func unary(
    _ path: MethodPath, _ message: [UInt8], options: CallOptions = CallOptions()
  ) async throws(GRPCStatus) -> UnaryReply {
    try options.metadata.validate()
    let call = try core.makeCall(path, timeout: options.timeout)
    let batch = Batch()
    batch.sendInitialMetadata(options.metadata, waitForReady: options.waitsForReady)
    batch.sendMessage(message)
    batch.sendClose()
    batch.receiveInitialMetadata()
    batch.receiveMessage()
    batch.receiveStatus()
    let succeeded = await withTaskCancellationHandler {
      await call.run(batch)
    } onCancel: {
      call.cancel()
    }
    guard succeeded else { throw GRPCStatus(.internal, "\(path): the call could not start") }
    let status = batch.receivedStatus
    guard status.code == .ok else { throw status }
    guard let reply = batch.receivedMessage else {
      throw GRPCStatus(.internal, "\(path): the server sent OK without a message")
    }
    return UnaryReply(
      message: reply, initialMetadata: batch.receivedInitialMetadata,
      trailingMetadata: status.metadata)
  }
}

// Connecting.
extension GRPCChannel {
  /// Connects, if need be; true once there is a connection.
  ///
  /// False when `timeout` passes first or, unless `retries`, an attempt failed: then a call made
  /// now would not have reached the server.
  package func connect(within timeout: Duration, retries: Bool = false) async -> Bool {
    let deadline = ContinuousClock.now + timeout
    while true {
      let state = core.connectivity()
      if state == .ready { return true }
      if state == .failed && !retries { return false }
      let left = ContinuousClock.now.duration(to: deadline)
      guard left > .zero, !Task.isCancelled else { return false }
      // Cancelled tasks wait no longer than this.
      await core.connectivityChange(from: state, within: min(left, .milliseconds(200)))
    }
  }
}

/// What a server answered to a unary call.
package struct UnaryReply: Sendable {
  package let message: [UInt8]
  package let initialMetadata: GRPCMetadata
  package let trailingMetadata: GRPCMetadata
}

/// The C core's channel and its completion queue.
///
/// `@unchecked Sendable`: the pointer never changes, and the C core's channel may be used from any
/// thread; it is destroyed after the last call and the owner are gone.
private final class ChannelCore: @unchecked Sendable {
  private let pointer: OpaquePointer
  private let queue: CompletionQueue

  init(
    address: TransportAddress, security: ClientSecurity, options: ChannelOptions
  ) throws(GRPCStatus) {
    queue = try CompletionQueue()
    guard let credentials = try security.makeCredentials() else {
      throw GRPCStatus(.invalidArgument, "TLS: certificate, key or roots are not valid")
    }
    defer { grpc_channel_credentials_release(credentials) }
    let arguments = options.makeArguments()
    security.add(to: arguments)
    let channel = arguments.withPointer {
      grpc_channel_create(address.coreTarget, credentials, $0)
    }
    guard let channel else {
      throw GRPCStatus(.invalidArgument, "cannot make a channel to \(address)")
    }
    pointer = channel
  }

  deinit { grpc_channel_destroy(pointer) }

  enum Connectivity {
    case ready
    /// The last attempt failed; the next one comes by itself.
    case failed
    case idle
    case connecting
    case closed

    var coreState: grpc_connectivity_state {
      switch self {
      case .ready: GRPC_CHANNEL_READY
      case .failed: GRPC_CHANNEL_TRANSIENT_FAILURE
      case .idle: GRPC_CHANNEL_IDLE
      case .connecting: GRPC_CHANNEL_CONNECTING
      case .closed: GRPC_CHANNEL_SHUTDOWN
      }
    }
  }

  /// The state now; starts to connect when idle.
  func connectivity() -> Connectivity {
    switch grpc_channel_check_connectivity_state(pointer, 1) {
    case GRPC_CHANNEL_READY: .ready
    case GRPC_CHANNEL_TRANSIENT_FAILURE: .failed
    case GRPC_CHANNEL_IDLE: .idle
    case GRPC_CHANNEL_CONNECTING: .connecting
    default: .closed
    }
  }

  /// Returns when the state is another one, or time is up.
  func connectivityChange(from state: Connectivity, within timeout: Duration) async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let tag = ClosureTag { [self] _ in withExtendedLifetime(self) { continuation.resume() } }
      grpc_channel_watch_connectivity_state(
        pointer, state.coreState, coreDeadline(after: timeout), queue.pointer, tag.retainedTag())
    }
  }

  func makeCall(_ path: MethodPath, timeout: Duration?) throws(GRPCStatus) -> CoreCall {
    let slice = makeSlice(Array(path.description.utf8))
    defer { grpc_slice_unref(slice) }
    let call = grpc_channel_create_call(
      pointer, nil, 0, queue.pointer, slice, nil,
      coreDeadline(after: timeout), nil)
    guard let call else { throw GRPCStatus(.internal, "\(path): the call could not be made") }
    return CoreCall(adopting: call, queue: queue, owner: self)
  }
}
