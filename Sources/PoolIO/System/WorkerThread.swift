internal import CRocksDB
internal import Glibc
internal import StorageModel

/// A thread of our own for work that blocks.
///
/// `@unchecked Sendable`: the handle is set once, before anyone else can call `join`.
final class WorkerThread: @unchecked Sendable {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  private var handle = pthread_t()

  /// - Parameter name: at most 15 bytes, shown by `ps -L` and `top -H`.
  init(name: String, _ run: @escaping @Sendable () -> Void) throws(StoreError) {
    let context = Unmanaged.passRetained(Body(run))
    let result = pthread_create(
      &handle, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    guard result == 0 else {
      context.release()
      throw .io(IOFailure(operation: "start thread \(name)", errorNumber: result))
    }
    pthread_setname_np(handle, name)
  }

  /// Waits for its end; once only.
  func join() { pthread_join(handle, nil) }
}
