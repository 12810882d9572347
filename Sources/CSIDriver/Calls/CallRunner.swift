import DaemonConfiguration
import GRPC
package import Logging
import Synchronization

/// Runs the work of a call under its volume's lease and within its deadline.
///
/// Work that was begun is never torn off: when the deadline passes, the caller gets
/// DEADLINE_EXCEEDED, the work goes on with its lease, a retry gets ABORTED until it is done and
/// then finds it done.
package struct CallRunner: Sendable {
  /// Deadline of a call that brings none; sidecars bring 10 to 120 s.
  package static let standardTimeout = Duration.seconds(120)
  /// How long past the deadline a lease protects work that goes on.
  package static let leaseGrace = Duration.seconds(180)

  private let leases: VolumeLeases
  private let logger: Logger

  package init(leases: VolumeLeases = VolumeLeases(), logger: Logger) {
    self.leases = leases
    self.logger = logger
  }

  /// Runs work that changes `key` (a volume's identifier or name).
  func change<Answer: Sendable>(
    _ operation: String, _ key: String, timeout: Duration?,
    _ work: @escaping @Sendable () async throws(CallError) -> Answer
  ) async throws(CallError) -> Answer {
    let clock = ContinuousClock()
    let timeout = timeout ?? Self.standardTimeout
    let lease = try leases.acquire(
      key, operation: operation, now: clock.now, expiry: clock.now + timeout + Self.leaseGrace)
    return try await bounded(operation, key, timeout) { [leases] () async throws(CallError) in
      defer { leases.release(lease) }
      return try await work()
    }
  }

  /// Runs work that changes nothing.
  func look<Answer: Sendable>(
    _ operation: String, _ subject: String = "", timeout: Duration?,
    _ work: @escaping @Sendable () async throws(CallError) -> Answer
  ) async throws(CallError) -> Answer {
    try await bounded(operation, subject, timeout ?? Self.standardTimeout, work)
  }

  private func bounded<Answer: Sendable>(
    _ operation: String, _ subject: String, _ timeout: Duration,
    _ work: @escaping @Sendable () async throws(CallError) -> Answer
  ) async throws(CallError) -> Answer {
    let start = ContinuousClock.now
    let result = await firstResult(of: work, within: timeout, operation)
    var facts: Logger.Metadata = [
      "method": "\(operation)", "volume": "\(subject)",
      "milliseconds": "\((ContinuousClock.now - start).milliseconds)",
    ]
    switch result {
    case .success: logger.debug("csi call done", metadata: facts)
    case .failure(let error):
      facts["code"] = "\(error.statusCode)"
      facts["reason"] = "\(error.message)"
      logger.log(
        level: error.statusCode == .internal ? .error : .info, "csi call refused", metadata: facts)
    }
    return try result.get()
  }

  private func firstResult<Answer: Sendable>(
    of work: @escaping @Sendable () async throws(CallError) -> Answer, within timeout: Duration,
    _ operation: String
  ) async -> Result<Answer, CallError> {
    let race = Race<Answer>()
    let timer = Task {
      try? await Task.sleep(for: timeout)  // cancelled when the work was faster
      race.finish(
        .failure(
          .deadlineExceeded(
            "\(operation) is still at work after \(timeout); retry to learn how it went")))
    }
    Task {
      do throws(CallError) {
        race.finish(.success(try await work()))
      } catch {
        race.finish(.failure(error))
      }
      timer.cancel()
    }
    return await withTaskCancellationHandler {
      await race.result()
    } onCancel: {
      race.finish(
        .failure(.deadlineExceeded("\(operation) was given up by its caller, but goes on")))
    }
  }
}

/// The first of several results resumes the waiting call, the others are dropped.
private final class Race<Answer: Sendable>: Sendable {
  private typealias Outcome = Result<Answer, CallError>

  private struct State {
    var outcome: Outcome?
    var waiting: CheckedContinuation<Outcome, Never>?
  }

  private let state = Mutex(State())

  func finish(_ result: Result<Answer, CallError>) {
    let waiting = state.withLock { state in
      if state.outcome == nil { state.outcome = result }
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume(returning: result)
  }

  /// Waits for the first result; called once.
  func result() async -> Result<Answer, CallError> {
    await withCheckedContinuation { continuation in
      let outcome = state.withLock { state in
        if state.outcome == nil { state.waiting = continuation }
        return state.outcome
      }
      if let outcome { continuation.resume(returning: outcome) }
    }
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}
