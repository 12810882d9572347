import Synchronization

/// A call that the server answers. The handler's task runs it; the peer and a shutdown may cancel.
final class ServerCall: Sendable {
  let context: ServerCallContext
  private let call: CoreCall
  private let sendTurn = Turn()
  private let receiveTurn = Turn()

  private struct State {
    var sentInitialMetadata = false
    var task: Task<Void, Never>?
    var endsAtShutdown = false
    /// The peer went away, or the deadline passed.
    var isBroken = false
    var isCancelled = false
    var endedByShutdown = false
  }

  private let state = Mutex(State())

  init(_ call: CoreCall, _ context: ServerCallContext) {
    self.call = call
    self.context = context
  }
}

// Messages.
extension ServerCall {
  /// The next message; nil after the client's last. Throws when the call broke off, or the
  /// handler's task was cancelled: then a message may be lost, and nothing more can be received.
  func receive() async throws -> [UInt8]? {
    await receiveTurn.take()
    let result = OneShot<Result<[UInt8]?, GRPCStatus>>()
    let batch = Batch()
    batch.receiveMessage()
    batch.start(on: call) { [self] batch, succeeded in
      let message = batch.receivedMessage
      let isEnd = succeeded && message == nil && !call.failedBeforeMessage
      result.resolve(message != nil || isEnd ? .success(message) : .failure(brokenStatus))
      receiveTurn.give()
    }
    guard let result = await result.valueUnlessCancelled() else { throw CancellationError() }
    return try result.get()
  }

  /// Sends a message; returns when the connection took it. Throws when the call broke off.
  func send(_ message: [UInt8]) async throws(GRPCStatus) {
    let batch = Batch()
    batch.sendMessage(message)
    try await send(batch)
  }

  /// Sends the initial metadata now rather than with the first message.
  func sendInitialMetadata() async throws(GRPCStatus) {
    guard !state.withLock({ $0.sentInitialMetadata }) else { return }
    try await send(Batch())
  }

  private func send(_ batch: Batch) async throws(GRPCStatus) {
    await sendTurn.take()
    defer { sendTurn.give() }
    try addInitialMetadata(to: batch)
    guard await call.run(batch) else { throw brokenStatus }
  }

  private func addInitialMetadata(to batch: Batch) throws(GRPCStatus) {
    guard !state.withLock({ $0.sentInitialMetadata }) else { return }
    let metadata = context.initialMetadata
    try metadata.validate()
    batch.sendInitialMetadata(metadata)
    state.withLock { $0.sentInitialMetadata = true }
  }

  /// Ends the call. Returns the status that was sent, or `cancelled` when the client was gone.
  func finish(_ status: GRPCStatus, reply: [UInt8]?) async -> GRPCStatus {
    await sendTurn.take()
    defer { sendTurn.give() }
    var status = status
    for entry in context.trailingMetadata.entries { status.metadata.add(entry.key, entry.value) }
    let batch = Batch()
    do throws(GRPCStatus) {
      try status.metadata.validate()
      try addInitialMetadata(to: batch)
    } catch {
      status = GRPCStatus(.internal, "the handler's metadata cannot be sent: \(error.message)")
      if state.withLock({ !$0.sentInitialMetadata }) { batch.sendInitialMetadata([:]) }
    }
    if status.code == .ok, let reply { batch.sendMessage(reply) }
    batch.sendStatus(status)
    return await call.run(batch) ? status : brokenStatus
  }
}

// Cancellation.
extension ServerCall {
  /// Cancels the handler when the call breaks off.
  func watchForCancellation() {
    let batch = Batch()
    batch.receiveClose()
    batch.start(on: call) { [self] batch, succeeded in
      guard !succeeded || batch.receivedCancellation else { return }
      state.withLock { $0.isBroken = true }
      cancelHandler()
    }
  }

  func attach(_ task: Task<Void, Never>, endsAtShutdown: Bool) {
    let isCancelled = state.withLock { state in
      state.task = task
      state.endsAtShutdown = endsAtShutdown
      return state.isCancelled
    }
    if isCancelled { task.cancel() }
  }

  func cancelHandler() {
    state.withLock { state in
      state.isCancelled = true
      return state.task
    }?.cancel()
  }

  /// Ends the call now if it is of a kind that would never end by itself.
  func serverIsStopping() {
    let ends = state.withLock { state in
      if state.endsAtShutdown { state.endedByShutdown = true }
      return state.endsAtShutdown
    }
    if ends { cancelHandler() }
  }

  /// What the client is told of an error of the handler.
  func status(answering error: any Error) -> GRPCStatus {
    guard error is CancellationError else { return GRPCStatus(answering: error) }
    if state.withLock({ $0.endedByShutdown }) {
      return GRPCStatus(.unavailable, "the server is shutting down")
    }
    return brokenStatus
  }

  private var brokenStatus: GRPCStatus {
    if let left = context.remainingTime, left == .zero {
      return GRPCStatus(.deadlineExceeded, "the deadline passed")
    }
    return GRPCStatus(.cancelled, "the call was cancelled")
  }
}
