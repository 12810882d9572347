import PoolIO
import StorageEngine
import StorageModel
import Synchronization

/// The pool's one thread for work that nobody waits for: checkpoints, and the blocks of large
/// removed files.
///
/// Sleeps without a timer while nothing was written since the last checkpoint.
final class Housekeeper: Sendable {
  private struct State {
    var requested: UInt64 = 0
    var completed: UInt64 = 0
    var lastError: StoreError?
    var isDirty = false
    var wantsReclaim = false
    var stops = false
    var hasEnded = false
  }

  private enum Work {
    case checkpoint
    case reclaim
    case end
  }

  /// How soon space that was freed goes back to the host, and how much is worth a checkpoint.
  private static let freeingInterval = Duration.seconds(5)
  private static let freedByteCount: UInt64 = 8 << 20

  private let pool: Pool
  private let volumes: @Sendable () -> [VolumeHost]
  private let log: @Sendable (StoreError) -> Void
  private let state = LockedCondition(State())
  private let isDirty = Atomic(false)

  init(
    pool: Pool, volumes: @escaping @Sendable () -> [VolumeHost],
    log: @escaping @Sendable (StoreError) -> Void
  ) {
    self.pool = pool
    self.volumes = volumes
    self.log = log
  }

  func start() throws(NodeError) {
    guard startThread(named: "housekeeper", { self.run() }) else {
      throw .unavailable("the system gave no thread for checkpoints")
    }
  }

  /// Ends the thread, after a last checkpoint.
  func stop() {
    state.withLock { $0.stops = true }
    state.broadcast()
    state.wait { $0.hasEnded ? () : nil }
  }

  /// Says that something was committed. Cheap: most calls are two loads.
  func committed() {
    let isFirst =
      !isDirty.load(ordering: .relaxed) && !isDirty.exchange(true, ordering: .relaxed)
    guard isFirst || isOverdue else { return }
    state.withLock { state in
      state.isDirty = true
      if isOverdue, state.requested == state.completed { state.requested += 1 }
    }
    state.broadcast()
  }

  func wantsReclaim() {
    state.withLock { $0.wantsReclaim = true }
    state.broadcast()
  }

  /// Waits for a checkpoint that begins after this call.
  func checkpoint() throws(StoreError) {
    let ticket = state.withLock { state -> UInt64 in
      state.requested = max(state.requested, state.completed + 1)
      if state.requested == state.completed + 1 { state.requested += 1 }
      return state.requested
    }
    state.broadcast()
    let error: StoreError? = state.wait { state in
      if state.completed >= ticket { return .some(state.lastError) }
      return state.hasEnded ? .some(.readOnly("the pool is closing")) : nil
    }
    if let error { throw error }
  }

  private var isOverdue: Bool {
    pool.journal.usedByteCount >= Int(pool.policy.journalByteCount)
      || pool.index.memtableByteCount >= Pool.indexByteCount
  }

  private func run() {
    while true {
      switch nextWork() {
      case .reclaim: reclaim()
      case .checkpoint: checkpointNow()
      case .end:
        checkpointNow()
        state.withLock { $0.hasEnded = true }
        state.broadcast()
        return
      }
    }
  }

  private func nextWork() -> Work {
    while true {
      let dirty = state.withLock { $0.isDirty }
      let take: (inout State) -> Work? = { state in
        if state.requested > state.completed { return .checkpoint }
        if state.stops { return .end }
        if state.wantsReclaim {
          state.wantsReclaim = false
          return .reclaim
        }
        // Became dirty: sleep on, but with the interval's limit.
        return nil
      }
      if dirty {
        if let work = waitWhileDirty(take) { return work }
        return .checkpoint
      }
      let work: Work?? = state.wait { state in
        if let work = take(&state) { return .some(work) }
        return state.isDirty ? .some(nil) : nil
      }
      if let work, let work { return work }
    }
  }

  /// Sleeps until something is to be done; nil when a checkpoint is due, since its interval is
  /// over or space waits to be given back.
  private func waitWhileDirty(_ take: (inout State) -> Work?) -> Work? {
    let end = ContinuousClock.now + pool.policy.interval
    while true {
      let left = end - ContinuousClock.now
      if let work = state.wait(atMost: min(left, Self.freeingInterval), until: take) {
        return work
      }
      if left <= Self.freeingInterval { return nil }
      let freed = volumes().reduce(UInt64(0)) { sum, volume in
        sum + volume.withEngine { $0.freedByteCount }
      }
      if freed >= Self.freedByteCount { return nil }
    }
  }

  private func checkpointNow() {
    let target = state.withLock { state -> UInt64 in
      state.isDirty = false
      return state.requested
    }
    isDirty.store(false, ordering: .relaxed)
    var failure: StoreError?
    do throws(StoreError) {
      try Checkpoint(pool: pool, volumes: volumes()).run()
    } catch {
      failure = error
      log(error)
    }
    state.withLock { state in
      state.completed = max(state.completed, target)
      state.lastError = failure
    }
    state.broadcast()
  }

  private func reclaim() {
    for volume in volumes() {
      do throws(StoreError) {
        while try volume.reclaimStep() {}
      } catch {
        log(error)
      }
    }
  }
}
