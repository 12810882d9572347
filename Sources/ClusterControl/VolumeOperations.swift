package import DaemonConfiguration
internal import Synchronization

/// Keeps two operations from touching one volume at once: the second is told `.busy` at once.
///
/// An operation holds its key for as long as it runs and no longer, whatever way it ends; how
/// long it has been running is part of the refusal. Nothing waits here.
package final class VolumeOperations: Sendable {
  private struct Running {
    var what: String
    var since: ContinuousClock.Instant
  }

  private let running = Mutex<[String: Running]>([:])
  private let clock = ContinuousClock()

  package init() {}

  /// Runs `body` unless another operation holds one of the keys.
  package func exclusively<Result: Sendable>(
    _ keys: [String], _ what: String, _ body: () async throws(Refusal) -> Result
  ) async throws(Refusal) -> Result {
    try acquire(keys, what)
    let result: Result
    do throws(Refusal) {
      result = try await body()
    } catch {
      release(keys)
      throw error
    }
    release(keys)
    return result
  }

  /// How many operations run now.
  package var count: Int { running.withLock { Set($0.values.map(\.what)).count } }

  private func acquire(_ keys: [String], _ what: String) throws(Refusal) {
    let now = clock.now
    let holder: (key: String, running: Running)? = running.withLock { running in
      for key in keys {
        if let other = running[key] { return (key, other) }
      }
      for key in keys { running[key] = Running(what: what, since: now) }
      return nil
    }
    guard let holder else { return }
    let seconds = holder.running.since.duration(to: now).components.seconds
    throw Refusal(
      .busy,
      "volume \(holder.key) is busy: \(holder.running.what) has been running for \(seconds) s; "
        + "try again")
  }

  private func release(_ keys: [String]) {
    running.withLock { running in
      for key in keys { running[key] = nil }
    }
  }
}
