import Glibc
package import StorageModel

extension Timestamp {
  /// The wall clock, as the kernel's coarse clock gives it to files (one tick exact, no call into
  /// the kernel).
  package static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
  }
}

/// The clock that only goes forward, for measuring; some 20 ns, no call into the kernel.
func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
