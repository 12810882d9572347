import Glibc

/// A value behind a POSIX mutex with a condition variable: for threads that sleep until another
/// changes the value.
final class LockedCondition<Value>: @unchecked Sendable {
  // Safe to share: `value` is touched only between lock and unlock of `mutex`, and both POSIX
  // objects live at stable addresses for the life of this object.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var value: Value

  init(_ value: Value) {
    self.value = value
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&value)
  }

  /// Wakes one sleeper.
  func signal() { pthread_cond_signal(condition) }

  /// Wakes all sleepers.
  func broadcast() { pthread_cond_broadcast(condition) }

  /// Sleeps until `ready` holds.
  func wait<Result>(until ready: (inout Value) -> Result?) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = ready(&value) { return result }
      pthread_cond_wait(condition, mutex)
    }
  }

  /// Sleeps until `ready` gives something or the time is over; nil if it is over.
  func wait<Result>(atMost duration: Duration, until ready: (inout Value) -> Result?) -> Result? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    var deadline = Self.deadline(after: duration)
    while true {
      if let result = ready(&value) { return result }
      if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT { return ready(&value) }
    }
  }

  private static func deadline(after duration: Duration) -> timespec {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let (seconds, attoseconds) = duration.components
    var nanoseconds = now.tv_nsec + Int(attoseconds / 1_000_000_000)
    var wholeSeconds = now.tv_sec + Int(seconds)
    if nanoseconds >= 1_000_000_000 {
      nanoseconds -= 1_000_000_000
      wholeSeconds += 1
    }
    return timespec(tv_sec: wholeSeconds, tv_nsec: nanoseconds)
  }
}
