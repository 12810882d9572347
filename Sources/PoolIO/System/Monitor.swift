internal import Glibc

/// A lock with a condition to wait for.
///
/// `@unchecked Sendable`: both pthread objects are made to be used from all threads, and stay at
/// their address for the monitor's life.
final class Monitor: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  @inline(__always)
  func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }

  /// Lets go of the lock until someone calls `wakeAll`; may return without cause. Only inside
  /// `withLock`.
  func wait() { pthread_cond_wait(condition, mutex) }

  func wakeAll() { pthread_cond_broadcast(condition) }

  /// Runs `body` without the lock. Only inside `withLock`.
  func withoutLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    pthread_mutex_unlock(mutex)
    defer { pthread_mutex_lock(mutex) }
    return try body()
  }
}
