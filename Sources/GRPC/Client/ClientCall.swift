import Synchronization

/// A call of a client: any number of messages either way.
///
/// One task may send while another receives; several senders take turns in order. Cancelling the
/// task that waits, or dropping the call, cancels the call.
package final class ClientCall: Sendable {
  private let core: ClientCallCore

  init(_ call: CoreCall, _ options: CallOptions) {
    core = ClientCallCore(call)
    core.start(options)
  }

  deinit { core.call.cancel() }

  /// Sends a message; returns when the connection took it.
  ///
  /// Throws the status when the call is over already (`unavailable` while it is not known: then
  /// `receive` tells it).
  package func send(_ message: [UInt8]) async throws(GRPCStatus) {
    let batch = Batch()
    batch.sendMessage(message)
    try await core.send(batch)
  }

  /// Tells the server that no more messages come.
  package func finishSending() async throws(GRPCStatus) {
    let batch = Batch()
    batch.sendClose()
    try await core.send(batch)
  }

  /// The next message; nil after the last when the call ended well, otherwise throws its status.
  package func receive() async throws(GRPCStatus) -> [UInt8]? { try await core.receive() }

  /// Metadata that the server sent before its messages; empty when the call failed first.
  package func initialMetadata() async -> GRPCMetadata {
    await withTaskCancellationHandler {
      await core.initialMetadata.value()
    } onCancel: {
      core.call.cancel()
    }
  }

  /// How the call ended, with the trailing metadata. Comes after all messages were received.
  package func status() async -> GRPCStatus {
    await withTaskCancellationHandler {
      await core.status.value()
    } onCancel: {
      core.call.cancel()
    }
  }

  /// Whether the server stopped taking messages before all were sent.
  var serverStoppedTaking: Bool { core.sendFailed.load(ordering: .relaxed) }

  /// Ends the call at once with `cancelled`, unless it is over.
  package func cancel() { core.call.cancel() }
}

/// What the operations under way hold, so that the handle's end can cancel them.
private final class ClientCallCore: Sendable {
  let call: CoreCall
  let status = OneShot<GRPCStatus>()
  let initialMetadata = OneShot<GRPCMetadata>()
  let sendFailed = Atomic(false)
  private let sendTurn = Turn()
  private let receiveTurn = Turn()

  init(_ call: CoreCall) { self.call = call }

  func start(_ options: CallOptions) {
    let status = Batch()
    status.receiveStatus()
    let received = Batch()
    received.receiveInitialMetadata()
    let sent = Batch()
    sent.sendInitialMetadata(options.metadata, waitForReady: options.waitsForReady)
    sent.start(on: call) { _, _ in }
    status.start(on: call) { [self] batch, succeeded in
      self.status.resolve(
        succeeded ? batch.receivedStatus : GRPCStatus(.internal, "the call could not start"))
    }
    received.start(on: call) { [self] batch, succeeded in
      initialMetadata.resolve(succeeded ? batch.receivedInitialMetadata : [:])
    }
  }

  func send(_ batch: Batch) async throws(GRPCStatus) {
    await sendTurn.take()
    let succeeded = await run(batch)
    sendTurn.give()
    guard !succeeded else { return }
    sendFailed.store(true, ordering: .relaxed)
    // The status may wait for messages that the caller has yet to receive: not waited for here.
    let status = self.status.valueIfResolved
    if let status, status.code != .ok { throw status }
    throw GRPCStatus(.unavailable, "the call is over: the server takes no more messages")
  }

  func receive() async throws(GRPCStatus) -> [UInt8]? {
    let batch = Batch()
    batch.receiveMessage()
    await receiveTurn.take()
    let succeeded = await run(batch)
    receiveTurn.give()
    if succeeded, let message = batch.receivedMessage { return message }
    let status = await self.status.value()
    guard status.code == .ok else { throw status }
    return nil
  }

  private func run(_ batch: Batch) async -> Bool {
    await withTaskCancellationHandler {
      await call.run(batch)
    } onCancel: {
      call.cancel()
    }
  }
}
