import CGRPC
import Glibc

/// What waits in a completion queue: the queue owns it from the start of an operation until its
/// event, and then calls it once, on the queue's thread.
class CompletionTag {
  /// Called when the operation is over; must not block.
  func complete(succeeded: Bool) {}

  /// Hands a reference to the C core.
  func retainedTag() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

  /// Takes back the reference of an operation that could not start.
  static func release(_ tag: UnsafeMutableRawPointer) {
    Unmanaged<CompletionTag>.fromOpaque(tag).release()
  }
}

/// A tag that calls a closure.
final class ClosureTag: CompletionTag {
  private let body: @Sendable (_ succeeded: Bool) -> Void

  init(_ body: @escaping @Sendable (_ succeeded: Bool) -> Void) { self.body = body }

  override func complete(succeeded: Bool) { body(succeeded) }
}

/// A completion queue of the C core and the thread that polls it.
///
/// Whoever has an operation under way holds the queue, so it goes away after its last operation:
/// then it is shut down, and its thread drains it, destroys it and ends.
///
/// `@unchecked Sendable`: the pointer never changes and the C core's queue may be used from any
/// thread; only the queue's own thread destroys it, after the last reference is gone.
final class CompletionQueue: @unchecked Sendable {
  let pointer: OpaquePointer

  /// Throws `resourceExhausted` when the system gives no thread.
  init() throws(GRPCStatus) {
    grpc_init()
    guard let pointer = grpc_completion_queue_create_for_next(nil) else {
      grpc_shutdown()
      throw GRPCStatus(.internal, "cannot create a completion queue")
    }
    var thread = pthread_t()
    let error = pthread_create(&thread, nil, pollQueue, UnsafeMutableRawPointer(pointer))
    guard error == 0 else {
      grpc_completion_queue_shutdown(pointer)
      grpc_completion_queue_destroy(pointer)
      grpc_shutdown()
      throw GRPCStatus(
        .resourceExhausted, "cannot start the thread of a completion queue: errno \(error)")
    }
    pthread_detach(thread)
    self.pointer = pointer
  }

  deinit { grpc_completion_queue_shutdown(pointer) }
}

/// The thread of a completion queue: delivers its events until it is shut down and drained.
private func pollQueue(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let queue = OpaquePointer(argument)
  while true {
    let event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), nil)
    if event.type == GRPC_QUEUE_SHUTDOWN { break }
    guard event.type == GRPC_OP_COMPLETE, let tag = event.tag else { continue }
    let operation = Unmanaged<CompletionTag>.fromOpaque(tag).takeRetainedValue()
    operation.complete(succeeded: event.success != 0)
  }
  grpc_completion_queue_destroy(queue)
  grpc_shutdown()
  return nil
}
