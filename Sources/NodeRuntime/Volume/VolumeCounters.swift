package import StorageModel
package import Synchronization

/// What a volume did since the daemon started. Counted without a lock.
package final class VolumeCounters: Sendable {
  package let readCount = Atomic<UInt64>(0)
  package let readBytes = Atomic<UInt64>(0)
  package let writeCount = Atomic<UInt64>(0)
  package let writtenBytes = Atomic<UInt64>(0)
  package let syncCount = Atomic<UInt64>(0)
  package let readLatency = LatencyHistogram()
  package let writeLatency = LatencyHistogram()
  package let syncLatency = LatencyHistogram()
  private let lastSyncSeconds = Atomic<Int64>(.min)

  /// When a sync last returned; nil before the first.
  package var lastSync: Timestamp? {
    let seconds = lastSyncSeconds.load(ordering: .relaxed)
    return seconds == .min ? nil : Timestamp(seconds: seconds, nanoseconds: 0)
  }

  /// - Parameter start: `monotonicNanoseconds()` when the operation began.
  func read(byteCount: Int, since start: UInt64) {
    readLatency.record(nanoseconds: monotonicNanoseconds() - start)
    readCount.add(1, ordering: .relaxed)
    readBytes.add(UInt64(byteCount), ordering: .relaxed)
  }

  func wrote(byteCount: Int, since start: UInt64) {
    writeLatency.record(nanoseconds: monotonicNanoseconds() - start)
    writeCount.add(1, ordering: .relaxed)
    writtenBytes.add(UInt64(byteCount), ordering: .relaxed)
  }

  func synced(at time: Timestamp, since start: UInt64) {
    syncLatency.record(nanoseconds: monotonicNanoseconds() - start)
    syncCount.add(1, ordering: .relaxed)
    lastSyncSeconds.store(time.seconds, ordering: .relaxed)
  }
}
