import CGRPC
import Synchronization

/// A call of the C core, of either side. Lives until its last operation is over.
///
/// `@unchecked Sendable`: the pointer never changes, starting operations is serialised by the lock
/// (the core asks for that), and cancelling is allowed from any thread.
final class CoreCall: @unchecked Sendable {
  let pointer: OpaquePointer
  private let queue: CompletionQueue
  /// The channel, for a client's call.
  private let owner: (any Sendable)?
  private let startLock = Mutex<Void>(())

  /// Takes over the caller's reference of `pointer`.
  init(adopting pointer: OpaquePointer, queue: CompletionQueue, owner: (any Sendable)? = nil) {
    self.pointer = pointer
    self.queue = queue
    self.owner = owner
  }

  deinit { grpc_call_unref(pointer) }

  func withStartLock(_ body: () -> grpc_call_error) -> grpc_call_error {
    startLock.withLock { _ in body() }
  }

  /// Runs the batch to its event; true when all its operations succeeded.
  func run(_ batch: Batch) async -> Bool {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
      batch.start(on: self) { continuation.resume(returning: $1) }
    }
  }

  /// Ends the call at once; the peer sees CANCELLED. Does nothing when it is over already.
  func cancel() { _ = grpc_call_cancel(pointer, nil) }

  /// Whether the end of the incoming messages was a broken call, not the peer's "no more".
  var failedBeforeMessage: Bool { grpc_call_failed_before_recv_message(pointer) != 0 }

  /// Address of the peer as the core writes it: `ipv4:127.0.0.1:40122`, `unix:`.
  var peer: String {
    guard let text = grpc_call_get_peer(pointer) else { return "" }
    defer { gpr_free(text) }
    return String(cString: text)
  }

  /// Names in the certificate that the peer proved to own; empty without mutual TLS.
  var peerIdentities: [String] {
    guard let context = grpc_call_auth_context(pointer) else { return [] }
    defer { grpc_auth_context_release(context) }
    guard grpc_auth_context_peer_is_authenticated(context) != 0 else { return [] }
    return ["x509_common_name", "x509_subject_alternative_name"].flatMap { name in
      var iterator = grpc_auth_context_find_properties_by_name(context, name)
      var values: [String] = []
      while let property = grpc_auth_property_iterator_next(&iterator) {
        guard let start = property.pointee.value else { continue }
        let bytes = UnsafeRawBufferPointer(start: start, count: property.pointee.value_length)
        values.append(String(decoding: bytes, as: UTF8.self))
      }
      return values
    }
  }
}
