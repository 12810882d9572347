internal import Glibc
package import StorageModel
internal import Synchronization

/// What a read of a trimmed position fails with.
let staleError = ESTALE

extension FileJournal {
  /// Group commit: the first to come syncs for all who have appended by then; who comes
  /// meanwhile waits, and one of them leads the next round.
  ///
  /// - Throws: `.readOnly` once any sync has failed: the kernel forgets dirty pages that it could
  ///   not write, so a later success would prove nothing.
  package func sync(through position: JournalPosition) throws(StoreError) {
    let segmentWriteCount = segments.writeCount
    guard position <= end else {
      throw .invalid("sync the journal through \(position), behind its end \(end)")
    }
    try syncMonitor.withLock { () throws(StoreError) in
      while true {
        if let failure { throw .readOnly(failure) }
        if synced >= position && syncedSegmentWriteCount >= segmentWriteCount { return }
        guard !isSyncing else {
          syncMonitor.wait()
          continue
        }
        isSyncing = true
        let result = syncMonitor.withoutLock { syncOnce() }
        isSyncing = false
        switch result {
        case .success(let round):
          syncedSegmentWriteCount = round.segmentWriteCount
          syncedPosition.store(round.end.rawValue, ordering: .releasing)
        case .failure(let error):
          failure = "a sync failed (\(error.explanation)); restart to recover what is durable"
          hasFailed.store(true, ordering: .releasing)
        }
        syncMonitor.wakeAll()
      }
    }
  }

  /// Why nothing more is accepted; nil while all is well.
  package var failureReason: String? { syncMonitor.withLock { failure } }

  private struct Round {
    let end: JournalPosition
    let segmentWriteCount: UInt64
  }

  /// Data first, then the records that refer to it.
  private func syncOnce() -> Result<Round, StoreError> {
    do throws(StoreError) {
      let round = Round(end: end, segmentWriteCount: segments.writeCount)
      try segments.syncDirty()
      for segment in unsyncedSegments(through: round.end) { try segment.file.syncData() }
      return .success(round)
    } catch {
      return .failure(error)
    }
  }

  /// Segments with records in `synced ..< end`.
  private func unsyncedSegments(through end: JournalPosition) -> ArraySlice<JournalSegmentFile> {
    let synced = synced
    guard synced < end else { return [] }
    return live.withLock { live in
      let first = live.lastIndex { $0.start <= synced } ?? live.startIndex
      let last = live.lastIndex { $0.start < end } ?? first
      return live[first...max(first, last)]
    }
  }
}
