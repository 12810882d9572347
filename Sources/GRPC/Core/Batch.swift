import CGRPC

/// Operations that are started together on one call, and what they receive.
///
/// Everything that the C core reads or writes lies in memory of the batch, and the completion queue
/// holds the batch until the event: no pointer outlives what it points to.
///
/// `@unchecked Sendable`: one task fills and starts it, then only the queue's thread touches it
/// until the event, and after that only the one who waited for it.
final class Batch: CompletionTag, @unchecked Sendable {
  private let storage: UnsafeMutablePointer<galleonfs_batch>
  private var initialMetadata: MetadataBuffer?
  private var trailingMetadata: MetadataBuffer?
  /// Kept until the event, so that the call outlives its operations.
  private var call: CoreCall?
  private var onEvent: (@Sendable (Batch, Bool) -> Void)?

  override init() {
    storage = .allocate(capacity: 1)
    storage.initialize(to: galleonfs_batch())
  }

  deinit {
    galleonfs_batch_destroy(storage)
    storage.deallocate()
  }

  /// Starts the batch; `onEvent` is called once, perhaps before this returns when it cannot start.
  func start(on call: CoreCall, onEvent: @escaping @Sendable (Batch, Bool) -> Void) {
    self.call = call
    self.onEvent = onEvent
    let tag = retainedTag()
    let error = call.withStartLock { galleonfs_batch_start(storage, call.pointer, tag) }
    guard error != GRPC_CALL_OK else { return }
    complete(succeeded: false)
    CompletionTag.release(tag)
  }

  override func complete(succeeded: Bool) {
    let onEvent = self.onEvent
    self.onEvent = nil
    call = nil
    onEvent?(self, succeeded)
  }
}

// What to do.
extension Batch {
  func sendInitialMetadata(_ metadata: GRPCMetadata, waitForReady: Bool = false) {
    let buffer = MetadataBuffer(metadata)
    initialMetadata = buffer
    let flags =
      waitForReady
      ? UInt32(
        GRPC_INITIAL_METADATA_WAIT_FOR_READY | GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET)
      : 0
    galleonfs_batch_send_initial_metadata(storage, buffer.start, buffer.count, flags)
  }

  func sendMessage(_ bytes: [UInt8]) {
    galleonfs_batch_send_message(storage, makeByteBuffer(bytes))
  }

  /// The client has no more messages.
  func sendClose() { galleonfs_batch_send_close(storage) }

  /// The server's last word.
  func sendStatus(_ status: GRPCStatus) {
    let buffer = MetadataBuffer(status.trailingMetadata)
    trailingMetadata = buffer
    galleonfs_batch_send_status(
      storage, grpc_status_code(Int32(status.code.rawValue)), makeSlice(Array(status.message.utf8)),
      buffer.start, buffer.count)
  }

  func receiveInitialMetadata() { galleonfs_batch_receive_initial_metadata(storage) }
  func receiveMessage() { galleonfs_batch_receive_message(storage) }
  func receiveStatus() { galleonfs_batch_receive_status(storage) }
  func receiveClose() { galleonfs_batch_receive_close(storage) }
}

// What came, after the event.
extension Batch {
  /// nil at the end of the stream, or when the call failed.
  var receivedMessage: [UInt8]? {
    storage.pointee.received_message.map { readBytes($0) }
  }

  var receivedInitialMetadata: GRPCMetadata {
    GRPCMetadata(copying: storage.pointee.received_initial_metadata)
  }

  var receivedStatus: GRPCStatus {
    GRPCStatus(
      rawCode: Int(storage.pointee.status.rawValue),
      message: String(decoding: readBytes(&storage.pointee.status_message), as: UTF8.self),
      trailingMetadata: GRPCMetadata(copying: storage.pointee.received_trailing_metadata))
  }

  /// Whether the call ended before the server's status was out: cancelled, timed out, broken.
  var receivedCancellation: Bool { storage.pointee.cancelled != 0 }
}
