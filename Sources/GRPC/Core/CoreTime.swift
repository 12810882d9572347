import CGRPC

extension Duration {
  /// Whole nanoseconds, held to the range of `Int64`.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflowed { return seconds < 0 ? .min : .max }
    let (sum, passed) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return passed ? (seconds < 0 ? .min : .max) : sum
  }

  /// Whole milliseconds, at least 1, held to the range of `Int32`.
  var argumentMilliseconds: Int {
    Int(min(Int64(Int32.max), max(1, nanoseconds / 1_000_000)))
  }
}

/// The instant at which a call that starts now and may take `timeout` ends.
func coreDeadline(after timeout: Duration?) -> gpr_timespec {
  guard let timeout else { return gpr_inf_future(GPR_CLOCK_MONOTONIC) }
  return gpr_time_add(
    gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(timeout.nanoseconds, GPR_TIMESPAN))
}

/// The deadline as an instant of Swift's clock; nil for a call without one.
func deadlineInstant(_ deadline: gpr_timespec) -> ContinuousClock.Instant? {
  let forever = gpr_inf_future(deadline.clock_type)
  guard gpr_time_cmp(deadline, forever) != 0 else { return nil }
  let left = gpr_time_sub(deadline, gpr_now(deadline.clock_type))
  return .now + .seconds(left.tv_sec) + .nanoseconds(Int64(left.tv_nsec))
}
