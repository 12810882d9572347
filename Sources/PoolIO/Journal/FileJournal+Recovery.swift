internal import CRocksDB
internal import DiskFormat
internal import Glibc
package import IOSeams
package import StorageModel
internal import Synchronization

extension FileJournal {
  /// Reads one record; false if the record must not count (data that it refers to was lost), and
  /// then the journal ends before it.
  ///
  /// The last argument is the barrier: segment data of records before it was synced.
  package typealias RecordVisitor = (
    RecordIdentity, UnsafeRawBufferPointer, JournalExtent, JournalPosition
  ) throws(StoreError) -> Bool

  /// Visits all records that `recover` will find, without taking them over: for what has to be
  /// known of the journal's end before its beginning is replayed. Before `recover`.
  package func survey(
    _ visit: (
      RecordIdentity, UnsafeRawBufferPointer, JournalExtent, JournalPosition
    ) throws(StoreError) -> Void
  ) throws(StoreError) {
    let segments = live.withLock { $0 }
    guard !segments.isEmpty else { return }
    var scanner = try JournalScanner(segments, from: trimPosition, checksum: checksum)
    while try scanner.next({ (frame, payload) throws(StoreError) in
      try visit(
        RecordIdentity(
          volume: frame.volume, epoch: frame.epoch, incarnation: frame.incarnation,
          lsn: frame.lsn),
        payload, JournalExtent(payload: frame.payload, end: frame.end), frame.barrier)
    }) {}
  }

  /// Visits all records from the trim position (or `start`, a record's start behind it) up to the
  /// first that does not verify, discards what lies behind, makes all that was read durable, and
  /// lets appends begin. Once, after `init`.
  ///
  /// Scans twice, since the barrier of a record is said by later ones. What lies behind the end
  /// is wiped, so that a record appended there never joins up with older ones.
  ///
  /// - Throws: `.corrupt` if a record does not verify although a later one says that it was
  ///   synced: that is rot, not a torn tail, and going on would lose acknowledged records.
  package func recover(
    from start: JournalPosition = .zero, _ visit: RecordVisitor
  ) throws(StoreError) -> JournalRecovery {
    guard appendMonitor.withLock({ phase == .opened }) else {
      throw .invalid("a journal is recovered once, before it is used")
    }
    try supply.start()
    let first = max(trimPosition, start)
    var recovery = JournalRecovery(start: first, end: first, barrier: first, recordCount: 0)
    let segments = live.withLock { $0 }
    if segments.isEmpty {
      _ = try appendMonitor.withLock { () throws(StoreError) in
        try startSegment(in: supply.take())
      }
    } else {
      try findEnd(of: segments, &recovery)
      try visitRecords(of: segments, &recovery, visit)
      try discard(behind: recovery.end)
    }
    // The process that wrote may be dead, but the kernel still holds what it did not sync, here
    // and in the pool's other files.
    let directoryFile = try OpenFile(path: directory, flags: O_RDONLY | O_DIRECTORY)
    guard syncfs(directoryFile.descriptor) == 0 else { throw systemError("sync \(directory)") }
    appendMonitor.withLock {
      endPosition.store(recovery.end.rawValue, ordering: .releasing)
      syncedPosition.store(recovery.end.rawValue, ordering: .releasing)
      phase = .running
    }
    return recovery
  }

  /// First pass: where verified records end, and the newest barrier.
  private func findEnd(
    of segments: [JournalSegmentFile], _ recovery: inout JournalRecovery
  ) throws(StoreError) {
    var scanner = try JournalScanner(segments, from: recovery.start, checksum: checksum)
    var barrier = recovery.barrier
    while try scanner.next({ (frame, _) throws(StoreError) in
      barrier = max(barrier, frame.barrier)
    }) {}
    recovery.barrier = barrier
    recovery.end = scanner.position
    recovery.stoppedAt = scanner.stop
    guard let synced = try scanner.barrierBehindEnd() else { return }
    throw .corrupt(
      Corruption(
        place: "journal record at position \(recovery.end)",
        expected: "a valid record, since the journal was synced up to \(synced)",
        found: scanner.stop?.description ?? "zeros"))
  }

  /// Second pass.
  private func visitRecords(
    of segments: [JournalSegmentFile], _ recovery: inout JournalRecovery, _ visit: RecordVisitor
  ) throws(StoreError) {
    var scanner = try JournalScanner(segments, from: recovery.start, checksum: checksum)
    var isAccepted = true
    var acceptedEnd = recovery.start
    while isAccepted, scanner.position < recovery.end,
      try scanner.next({ (frame, payload) throws(StoreError) in
        let identity = RecordIdentity(
          volume: frame.volume, epoch: frame.epoch, incarnation: frame.incarnation, lsn: frame.lsn)
        let extent = JournalExtent(payload: frame.payload, end: frame.end)
        isAccepted = try visit(identity, payload, extent, recovery.barrier)
        if isAccepted { acceptedEnd = frame.end }
      })
    { if isAccepted { recovery.recordCount += 1 } }
    guard acceptedEnd < recovery.end else { return }
    recovery.end = acceptedEnd
    recovery.stoppedAt = Corruption(
      place: "journal record at position \(acceptedEnd)", expected: "the data that it refers to",
      found: "data that does not verify")
  }

  /// Removes segments behind `end` and wipes the rest of the one that holds it.
  private func discard(behind end: JournalPosition) throws(StoreError) {
    let later = live.withLock { live in
      let last = live.lastIndex { $0.start <= end } ?? live.startIndex
      defer { live.removeLast(live.count - last - 1) }
      return live[(last + 1)...]
    }
    for segment in later {
      guard unlink(segment.file.path) == 0 else {
        throw systemError("remove \(segment.file.path)")
      }
    }
    supply.forget(count: later.count)
    try syncDirectory(directory)
    guard let last = live.withLock({ $0.last }) else { return }
    let tail = last.offset(of: end)..<last.byteCount
    var bytes = [UInt8](repeating: 0, count: tail.count)
    _ = try bytes.withMutableBytes { (target) throws(StoreError) in
      try last.file.read(into: target, at: tail.lowerBound)
    }
    guard bytes.contains(where: { $0 != 0 }) else { return }
    try JournalSegmentFile.fillWithZeros(last.file, tail)
    try last.file.syncData()
  }
}
