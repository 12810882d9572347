package import StorageModel

/// How large a pool's journal is.
package struct JournalConfiguration: Hashable, Sendable {
  /// Bytes of a segment file, header included.
  package var segmentByteCount: Int
  /// Bytes that all segment files together may take.
  package var budgetByteCount: Int

  package static let standardSegmentByteCount = 16 << 20
  package static let standardBudgetByteCount = 256 << 20

  package init(
    budgetByteCount: Int = standardBudgetByteCount,
    segmentByteCount: Int = standardSegmentByteCount
  ) {
    self.segmentByteCount = segmentByteCount
    self.budgetByteCount = budgetByteCount
  }

  /// One segment is written while another is freed, so less than two cannot work.
  var maximumSegmentCount: Int { max(2, budgetByteCount / segmentByteCount) }
}

/// What a recovery found.
package struct JournalRecovery: Hashable, Sendable {
  /// Where the scan started: the trim position.
  package var start: JournalPosition
  /// Where the journal ends, and new records start.
  package var end: JournalPosition
  /// Everything before was synced, data in segments too, before the crash.
  package var barrier: JournalPosition
  package var recordCount: Int
  /// Why the scan stopped before the end of a segment, for the log; zeros are a clean end.
  package var stoppedAt: Corruption?
}
