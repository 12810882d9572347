/// When the pool makes a checkpoint: whatever comes first.
package struct CheckpointPolicy: Hashable, Sendable {
  /// Journal bytes since the last checkpoint.
  package var journalByteCount: UInt64
  /// Time since the last checkpoint, if anything was written.
  package var interval: Duration
  /// Segment bytes that were freed and are not given back yet.
  package var freedByteCount: UInt64

  /// Half of the journal, so that writers never wait for its other half.
  package init(
    journalCapacityByteCount: UInt64, interval: Duration, freedByteCount: UInt64 = 1 << 30
  ) {
    journalByteCount = journalCapacityByteCount / 2
    self.interval = interval
    self.freedByteCount = freedByteCount
  }

  /// Whether one is due.
  package func isDue(
    journalByteCount: UInt64, sinceLast: Duration, freedByteCount: UInt64
  ) -> Bool {
    journalByteCount >= self.journalByteCount || freedByteCount >= self.freedByteCount
      || (journalByteCount > 0 && sinceLast >= interval)
  }
}
