import Glibc

/// Threads for calls that block on the disk or the kernel, so that they never hold up the
/// cooperative pool.
///
/// Threads start on demand up to `maximumThreadCount` and end after they were idle for
/// `idleTime`. The queue is bounded by its callers: each waits for its own call.
package final class BlockingThreads: Sendable {
  private struct State {
    var queue: [@Sendable () -> Void] = []
    var threadCount = 0
    var idleCount = 0
  }

  private static let idleTime = Duration.seconds(10)

  private let maximumThreadCount: Int
  private let state: LockedCondition<State>

  package init(maximumThreadCount: Int) {
    self.maximumThreadCount = maximumThreadCount
    state = LockedCondition(State())
  }

  /// Calls waiting for a thread: the depth of the queue.
  package var queueDepth: Int { state.withLock { $0.queue.count } }

  /// Runs `body` on one of the threads and suspends the caller until it is done.
  package func run<Success: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Success
  ) async throws(Failure) -> Success {
    let result: Result<Success, Failure> = await withCheckedContinuation { continuation in
      enqueue {
        do throws(Failure) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }

  private func enqueue(_ work: @escaping @Sendable () -> Void) {
    let startsThread = state.withLock { state in
      state.queue.append(work)
      guard state.idleCount < state.queue.count, state.threadCount < maximumThreadCount else {
        return false
      }
      state.threadCount += 1
      return true
    }
    state.signal()
    guard startsThread else { return }
    let started = startThread(named: "blocking") { [self] in serve() }
    if !started {
      // Without a thread the work would never run: the queue's next taker may be nobody.
      state.withLock { $0.threadCount -= 1 }
      serveOnce()
    }
  }

  private func serve() {
    while let work = nextWork() {
      work()
    }
  }

  /// The next call to make; nil when there was none for so long that the thread retires.
  private func nextWork() -> (@Sendable () -> Void)? {
    state.withLock { $0.idleCount += 1 }
    let work: (@Sendable () -> Void)? = state.wait(atMost: Self.idleTime) { state in
      guard !state.queue.isEmpty else { return nil }
      state.idleCount -= 1
      return state.queue.removeFirst()
    }
    if let work { return work }
    return state.withLock { state in
      state.idleCount -= 1
      // Work may have come between the end of the wait and this moment.
      if !state.queue.isEmpty { return state.queue.removeFirst() }
      state.threadCount -= 1
      return nil
    }
  }

  private func serveOnce() {
    let work = state.withLock { $0.queue.isEmpty ? nil : $0.queue.removeFirst() }
    work?()
  }
}
