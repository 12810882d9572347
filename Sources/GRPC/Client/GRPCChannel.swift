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
