import NodeRuntime
import Synchronization

/// What a volume did: in all since it was opened, and how fast it was lately.
///
/// The rates and latencies are of the time since the call of `metrics(of:)` before, or since the
/// storage path was opened. Quantiles are exact to a factor of two.
public struct VolumeMetrics: Hashable, Sendable {
  /// Reads since the storage path was opened.
  public var readCount: UInt64 = 0
  /// Bytes read since then.
  public var readBytes: UInt64 = 0
  /// Writes since then.
  public var writeCount: UInt64 = 0
  /// Bytes written since then.
  public var writtenBytes: UInt64 = 0
  /// Syncs since then.
  public var syncCount: UInt64 = 0
  /// The time that the following numbers are of.
  public var interval = Duration.zero
  /// Reads and writes a second.
  public var iops = 0.0
  /// Bytes read and written a second, in 10^6.
  public var throughputMegabytes = 0.0
  /// How long reads took.
  public var readLatency = Latency()
  /// How long writes took.
  public var writeLatency = Latency()
  /// How long syncs took.
  public var syncLatency = Latency()

  /// How long operations took; zeros if there were none.
  public struct Latency: Hashable, Sendable {
    /// The arithmetic mean.
    public var mean = Duration.zero
    /// Half took less.
    public var median = Duration.zero
    /// 99 of 100 took less.
    public var percentile99 = Duration.zero
  }

  /// The mean of reads and writes, in milliseconds.
  public var latencyMilliseconds = 0.0
}

extension VolumeMetrics.Latency {
  init(_ counts: LatencyCounts) {
    mean = counts.mean
    median = counts.quantile(0.5)
    percentile99 = counts.quantile(0.99)
  }
}

/// A volume's counters at one moment.
struct MetricSample: Sendable {
  var time: ContinuousClock.Instant
  var metrics = VolumeMetrics()
  var reads = LatencyCounts()
  var writes = LatencyCounts()
  var syncs = LatencyCounts()

  init(at time: ContinuousClock.Instant) { self.time = time }

  init(_ counters: VolumeCounters, at time: ContinuousClock.Instant) {
    self.time = time
    metrics.readCount = counters.readCount.load(ordering: .relaxed)
    metrics.readBytes = counters.readBytes.load(ordering: .relaxed)
    metrics.writeCount = counters.writeCount.load(ordering: .relaxed)
    metrics.writtenBytes = counters.writtenBytes.load(ordering: .relaxed)
    metrics.syncCount = counters.syncCount.load(ordering: .relaxed)
    reads = counters.readLatency.counts
    writes = counters.writeLatency.counts
    syncs = counters.syncLatency.counts
  }

  /// This sample's totals with the rates since an earlier one.
  func metrics(since earlier: MetricSample) -> VolumeMetrics {
    var result = metrics
    result.interval = time - earlier.time
    let seconds = result.interval / .seconds(1)
    let reads = reads.since(earlier.reads)
    let writes = writes.since(earlier.writes)
    result.readLatency = VolumeMetrics.Latency(reads)
    result.writeLatency = VolumeMetrics.Latency(writes)
    result.syncLatency = VolumeMetrics.Latency(syncs.since(earlier.syncs))
    result.latencyMilliseconds = (reads + writes).mean / .milliseconds(1)
    guard seconds > 0 else { return result }
    let operations =
      metrics.readCount - earlier.metrics.readCount
      + (metrics.writeCount - earlier.metrics.writeCount)
    let bytes =
      metrics.readBytes - earlier.metrics.readBytes
      + (metrics.writtenBytes - earlier.metrics.writtenBytes)
    result.iops = Double(operations) / seconds
    result.throughputMegabytes = Double(bytes) / seconds / 1_000_000
    return result
  }
}

/// The last sample of each volume; a volume's is dropped with it.
final class MetricSamples: Sendable {
  private let opened = ContinuousClock.now
  private let samples = Mutex<[String: MetricSample]>([:])

  /// Puts a sample in the place of the last one of the volume, which is returned.
  func replace(_ volume: String, by sample: MetricSample) -> MetricSample {
    samples.withLock { samples in
      defer { samples[volume] = sample }
      return samples[volume] ?? MetricSample(at: opened)
    }
  }

  func forget(_ volume: String) { samples.withLock { $0[volume] = nil } }
}
