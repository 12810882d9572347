internal import GRPC
internal import Synchronization

/// Counts the calls of the node's gRPC servers, by method and code.
final class CallStatistics: Sendable {
  private struct Key: Hashable {
    var method: String
    var code: String
  }

  private struct Histogram {
    var counts = [UInt64](repeating: 0, count: CallStatistics.bounds.count)
    var count: UInt64 = 0
    var sum = 0.0
  }

  /// Upper bounds of the buckets, in seconds.
  private static let bounds = [0.001, 0.005, 0.025, 0.1, 0.5, 2, 10, 60]

  private let histograms = Mutex<[Key: Histogram]>([:])

  /// Methods that nobody serves are counted together: clients choose their names.
  var interceptor: ServerInterceptor {
    ServerInterceptor(finished: { [self] context, status, duration in
      let isKnown = status.code != .unimplemented
      note(isKnown ? context.pathText : "other", status.code.name, duration)
    })
  }

  func write(to metrics: inout MetricsText) {
    let all = histograms.withLock { $0 }
    for (key, histogram) in all.sorted(by: {
      ($0.key.method, $0.key.code) < ($1.key.method, $1.key.code)
    }) {
      let labels = [("method", key.method), ("code", key.code)]
      for (bound, count) in zip(Self.bounds, histogram.counts) {
        metrics.add(
          .callDuration, Double(count), labels + [("le", "\(bound)")], suffix: "_bucket")
      }
      metrics.add(
        .callDuration, Double(histogram.count), labels + [("le", "+Inf")], suffix: "_bucket")
      metrics.add(.callDuration, histogram.sum, labels, suffix: "_sum")
      metrics.add(.callDuration, Double(histogram.count), labels, suffix: "_count")
    }
  }

  private func note(_ method: String, _ code: String, _ duration: Duration) {
    let parts = duration.components
    let seconds = Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    histograms.withLock { histograms in
      var histogram = histograms[Key(method: method, code: code)] ?? Histogram()
      for (index, bound) in Self.bounds.enumerated() where seconds <= bound {
        histogram.counts[index] += 1
      }
      histogram.count += 1
      histogram.sum += seconds
      histograms[Key(method: method, code: code)] = histogram
    }
  }
}
