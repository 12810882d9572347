private import Glibc
package import StorageModel

/// Keeps commits and the switch of a checkpoint apart.
///
/// A commit appends to the journal and then writes to the index; a checkpoint needs a moment in
/// which no commit is between the two. Commits share the gate, a checkpoint has it alone, and a
/// waiting checkpoint goes before new commits. Not recursive. Uncontended cost: some 20 ns.
///
/// `@unchecked Sendable`: the pthread lock is made to be used from all threads, and stays at its
/// address for the gate's life.
package final class CommitGate: @unchecked Sendable {
  private let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)

  package init() {
    var attributes = pthread_rwlockattr_t()
    pthread_rwlockattr_init(&attributes)
    pthread_rwlockattr_setkind_np(
      &attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
    pthread_rwlock_init(lock, &attributes)
    pthread_rwlockattr_destroy(&attributes)
  }

  deinit {
    pthread_rwlock_destroy(lock)
    lock.deallocate()
  }

  /// Runs a commit: many at a time.
  package func withCommit<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
    pthread_rwlock_rdlock(lock)
    defer { pthread_rwlock_unlock(lock) }
    return try body()
  }

  /// Runs `body` while no commit is under way and none can start.
  package func withCommitsHeld<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
    pthread_rwlock_wrlock(lock)
    defer { pthread_rwlock_unlock(lock) }
    return try body()
  }
}
