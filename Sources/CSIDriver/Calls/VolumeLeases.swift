import Synchronization

/// At most one call at a time works on a volume; a second one is told so at once.
///
/// A lease has an owner and an expiry: a call that hangs for ever (a dead disk, a kernel that does
/// not answer) blocks its volume no longer than the expiry. Pure of clocks: the caller says when.
package final class VolumeLeases: Sendable {
  package struct Lease: Hashable, Sendable {
    fileprivate let key: String
    fileprivate let serial: UInt64
  }

  private struct Holder {
    let serial: UInt64
    let operation: String
    let since: ContinuousClock.Instant
    let expiry: ContinuousClock.Instant
  }

  private struct State {
    var holders: [String: Holder] = [:]
    var lastSerial: UInt64 = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Takes the lease of `key` until `expiry`, or throws ABORTED that names who has it.
  package func acquire(
    _ key: String, operation: String, now: ContinuousClock.Instant,
    expiry: ContinuousClock.Instant
  ) throws(CallError) -> Lease {
    let taken: Result<Lease, CallError> = state.withLock { state in
      if let holder = state.holders[key], holder.expiry > now {
        let seconds = (now - holder.since).components.seconds
        return .failure(
          .aborted(
            "\(key) is busy: \(holder.operation) has been working on it for \(seconds) s; retry"))
      }
      state.lastSerial += 1
      state.holders[key] = Holder(
        serial: state.lastSerial, operation: operation, since: now, expiry: expiry)
      return .success(Lease(key: key, serial: state.lastSerial))
    }
    return try taken.get()
  }

  /// Gives the lease back; without effect if it expired and another took it.
  package func release(_ lease: Lease) {
    state.withLock { state in
      if state.holders[lease.key]?.serial == lease.serial { state.holders[lease.key] = nil }
    }
  }

  /// Leases that are held, expired ones included.
  package var count: Int { state.withLock { $0.holders.count } }
}
