import CGRPC

/// A place at the C core for one call that is yet to come.
///
/// `@unchecked Sendable`: its memory is the C core's until the event, then only the queue's thread
/// touches it.
final class CallRequest: CompletionTag, @unchecked Sendable {
  private let storage: UnsafeMutablePointer<galleonfs_call_request>
  private let onCall: @Sendable (CallRequest) -> Void

  /// `onCall` is called when a call came, and not when the server shut down instead.
  init(onCall: @escaping @Sendable (CallRequest) -> Void) {
    storage = .allocate(capacity: 1)
    storage.initialize(to: galleonfs_call_request())
    galleonfs_call_request_init(storage)
    self.onCall = onCall
  }

  deinit {
    galleonfs_call_request_destroy(storage)
    storage.deallocate()
  }

  func start(_ server: OpaquePointer, _ queue: CompletionQueue) {
    let tag = retainedTag()
    let error = galleonfs_call_request_start(storage, server, queue.pointer, tag)
    if error != GRPC_CALL_OK { CompletionTag.release(tag) }
  }

  override func complete(succeeded: Bool) {
    if succeeded { onCall(self) }
  }

  /// The call that came, once.
  func makeCall(on queue: CompletionQueue) -> ServerCall? {
    guard let pointer = storage.pointee.call else { return nil }
    storage.pointee.call = nil
    let call = CoreCall(adopting: pointer, queue: queue)
    let context = ServerCallContext(
      pathText: String(decoding: readBytes(&storage.pointee.details.method), as: UTF8.self),
      metadata: GRPCMetadata(copying: storage.pointee.metadata),
      deadline: deadlineInstant(storage.pointee.details.deadline),
      peer: call.peer, peerIdentities: call.peerIdentities)
    return ServerCall(call, context)
  }
}
