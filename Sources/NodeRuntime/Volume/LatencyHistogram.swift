import Synchronization

/// How long operations took, counted in classes that double, without a lock.
///
/// Budget of `record`: two relaxed additions, no allocation.
package final class LatencyHistogram: Sendable {
  /// Class i holds what took less than 2^i µs (and not less than the class before); the last one
  /// everything longer, from 33 s on.
  package static let classCount = 27

  private let classes = InlineArray<27, Atomic<UInt64>> { _ in Atomic(0) }
  private let totalNanoseconds = Atomic<UInt64>(0)

  func record(nanoseconds: UInt64) {
    let microseconds = nanoseconds / 1000
    let index = min(UInt64.bitWidth - microseconds.leadingZeroBitCount, Self.classCount - 1)
    classes[index].add(1, ordering: .relaxed)
    totalNanoseconds.add(nanoseconds, ordering: .relaxed)
  }

  /// What was counted until now. Operations that end meanwhile may be in one number and not yet
  /// in the other.
  package var counts: LatencyCounts {
    var counts = LatencyCounts()
    for index in 0..<Self.classCount {
      counts.classes[index] = classes[index].load(ordering: .relaxed)
    }
    counts.totalNanoseconds = totalNanoseconds.load(ordering: .relaxed)
    return counts
  }
}

/// A histogram's numbers at one moment, or between two.
package struct LatencyCounts: Hashable, Sendable {
  /// Operations by class of `LatencyHistogram`.
  package var classes = [UInt64](repeating: 0, count: LatencyHistogram.classCount)
  package var totalNanoseconds: UInt64 = 0

  package init() {}

  /// The bound below which a class's operations lie; nil for the last class.
  package static func upperBound(ofClass index: Int) -> Duration? {
    index < LatencyHistogram.classCount - 1 ? .microseconds(1 << index) : nil
  }

  package var count: UInt64 { classes.reduce(0, &+) }

  /// Zero if there were no operations.
  package var mean: Duration {
    let count = count
    return count == 0 ? .zero : .nanoseconds(Int64(clamping: totalNanoseconds / count))
  }

  /// The bound that the given share (0 ... 1) of the operations stayed below; exact to a factor
  /// of two. Zero if there were none.
  package func quantile(_ share: Double) -> Duration {
    let rank = (Double(count) * min(1, max(0, share))).rounded(.up)
    guard rank > 0 else { return .zero }
    var seen: UInt64 = 0
    for (index, count) in classes.enumerated() {
      seen += count
      if Double(seen) >= rank {
        return Self.upperBound(ofClass: index) ?? .microseconds(1 << index)
      }
    }
    return .zero
  }

  /// What was counted after `earlier`.
  package func since(_ earlier: LatencyCounts) -> LatencyCounts {
    var difference = LatencyCounts()
    for index in classes.indices {
      difference.classes[index] = classes[index] &- earlier.classes[index]
    }
    difference.totalNanoseconds = totalNanoseconds &- earlier.totalNanoseconds
    return difference
  }

  package static func + (left: LatencyCounts, right: LatencyCounts) -> LatencyCounts {
    var sum = left
    for index in sum.classes.indices { sum.classes[index] &+= right.classes[index] }
    sum.totalNanoseconds &+= right.totalNanoseconds
    return sum
  }
}
