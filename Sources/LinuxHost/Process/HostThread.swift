internal import CLinux
internal import Glibc
package import StorageModel

/// Threads of our own for work that blocks; the cooperative pool must never wait.
package enum HostThread {
  /// Runs `body` on a new detached thread whose name (at most 15 bytes) shows in ps and gdb.
  package static func start(named name: String, _ body: @escaping @Sendable () -> Void)
    throws(IOFailure)
  {
    let box = Unmanaged.passRetained(Work(name: name, body: body))
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let result = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
        galleonfs_set_thread_name(work.name)
        work.body()
        return nil
      }, box.toOpaque())
    if result != 0 {
      box.release()
      throw IOFailure(operation: "start thread \(name)", errorNumber: result)
    }
  }

  /// Runs `body` on a thread of its own and gives what it returns. If no thread can be had, it
  /// runs on the caller's.
  package static func run<Result: Sendable>(
    _ name: String, _ body: @escaping @Sendable () -> Result
  ) async -> Result {
    await withCheckedContinuation { continuation in
      do throws(IOFailure) {
        try start(named: name) { continuation.resume(returning: body()) }
      } catch {
        continuation.resume(returning: body())
      }
    }
  }

  private final class Work: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
}
