internal import DiskFormat
package import IOSeams
package import StorageModel
internal import Synchronization

/// A pool's write-ahead log in preallocated, recycled segment files.
///
/// Positions count the bytes of records only and run on from segment to segment: a segment starts
/// where the one before ended. Appends go through the page cache with one pwritev each; `sync`
/// is a group commit led by one of those who wait. Order of life: `init`, `recover`, use, `close`.
///
/// `@unchecked Sendable`: what appends change is touched under `appendMonitor` only, what syncs
/// change under `syncMonitor` only, the trim mark under `trimMonitor` only; the rest is constant,
/// atomic or behind a `Mutex`. None of the three is taken inside another.
package final class FileJournal: JournalStore, @unchecked Sendable {
  /// Computes the checksum of journal bytes; XXH3-64 in the product.
  package typealias Checksum = @Sendable (UnsafeRawBufferPointer) -> UInt64

  enum Phase { case opened, running, closed }

  let directory: String
  let pool: PoolID
  let configuration: JournalConfiguration
  let checksum: Checksum
  let segments: FileSegments
  let supply: SegmentSupply

  /// Segments that may still be needed, in the order of their positions. The last one is added
  /// under `appendMonitor` and never removed while the journal runs: appends write to it.
  let live: Mutex<[JournalSegmentFile]>

  let appendMonitor = Monitor()
  var phase = Phase.opened
  private let trimMonitor = Monitor()
  private var trimMark: TrimMark
  private let headerBytes: UnsafeMutableRawBufferPointer

  let syncMonitor = Monitor()
  var isSyncing = false
  var syncedSegmentWriteCount: UInt64 = 0
  var failure: String?

  /// The next record's position; grows under `appendMonitor`.
  let endPosition: Atomic<UInt64>
  /// Everything before is on stable storage; grows under `syncMonitor`.
  let syncedPosition: Atomic<UInt64>
  private let trimmedPosition: Atomic<UInt64>
  /// Set once, under `syncMonitor`, when `failure` is.
  let hasFailed = Atomic(false)

  /// Where a new journal starts: not 0, which stands for "nowhere".
  static let firstPosition = JournalPosition(UInt64(JournalSegmentHeader.blockByteCount))

  /// Opens a pool's journal, or makes it if the directory is empty. Nothing can be appended
  /// before `recover`.
  ///
  /// - Parameter segments: synced before the journal, so that a durable record's data is durable.
  /// - Throws: `.corrupt` if segments are missing or belong to another pool.
  package init(
    directory: String, pool: PoolID, configuration: JournalConfiguration = JournalConfiguration(),
    segments: FileSegments, checksum: @escaping Checksum
  ) throws(StoreError) {
    let layout = try JournalLayout.open(
      directory: directory, pool: pool, checksum: checksum)
    self.directory = directory
    self.pool = pool
    self.configuration = configuration
    self.checksum = checksum
    self.segments = segments
    self.trimMark = layout.trimMark
    self.live = Mutex(layout.live)
    self.supply = SegmentSupply(
      directory: directory, configuration: configuration, totalCount: layout.live.count,
      nextNumber: layout.nextNumber)
    self.headerBytes = .allocate(byteCount: JournalFrame.headerByteCount, alignment: 8)
    self.endPosition = Atomic(layout.trimMark.position.rawValue)
    self.syncedPosition = Atomic(layout.trimMark.position.rawValue)
    self.trimmedPosition = Atomic(layout.trimMark.position.rawValue)
  }

  deinit {
    supply.stop()
    headerBytes.deallocate()
  }

  package var end: JournalPosition { JournalPosition(endPosition.load(ordering: .acquiring)) }

  /// Everything before is on stable storage.
  package var synced: JournalPosition {
    JournalPosition(syncedPosition.load(ordering: .acquiring))
  }

  /// Where the first record that is still needed starts.
  package var trimPosition: JournalPosition {
    JournalPosition(trimmedPosition.load(ordering: .acquiring))
  }

  /// Bytes from the trim position to the end; near `capacityByteCount` it is time to checkpoint.
  package var usedByteCount: Int {
    Int(end.rawValue - trimPosition.rawValue)
  }

  /// Bytes of records that the budget has room for.
  package var capacityByteCount: Int {
    configuration.maximumSegmentCount * recordByteCountOfSegment
  }

  var recordByteCountOfSegment: Int {
    configuration.segmentByteCount - JournalSegmentHeader.blockByteCount
  }

  /// The largest payload that `append` takes.
  package var maximumPayloadByteCount: Int {
    min(
      JournalFrame.maximumPayloadByteCount,
      recordByteCountOfSegment - JournalFrame.headerByteCount)
  }

  /// Budget: one system call, no allocation, no copy of the payload in user space.
  package func append(
    _ identity: RecordIdentity, payload: UnsafeRawBufferPointer
  ) throws(StoreError) -> JournalExtent {
    guard payload.count <= maximumPayloadByteCount else {
      throw .invalid(
        "a journal record of \(payload.count) bytes; at most \(maximumPayloadByteCount) fit")
    }
    let payloadChecksum = checksum(payload)
    return try appendMonitor.withLock { () throws(StoreError) in
      try requireRunning()
      var frame = JournalFrame(
        volume: identity.volume, epoch: identity.epoch, incarnation: identity.incarnation,
        lsn: identity.lsn, position: end, barrier: synced, payloadByteCount: payload.count,
        payloadChecksum: payloadChecksum)
      let segment = try activeSegment(withRoomFor: frame.byteCount)
      frame.position = end
      try write(frame, payload, to: segment)
      endPosition.store(frame.end.rawValue, ordering: .releasing)
      return JournalExtent(payload: frame.payload, end: frame.end)
    }
  }

  /// - Throws: `.io` with ESTALE if the position was trimmed meanwhile: what it held has moved to
  ///   a segment, and the index says where.
  package func read(
    at position: JournalPosition, into target: UnsafeMutableRawBufferPointer
  ) throws(StoreError) {
    guard !target.isEmpty else { return }
    guard let segment = segment(holding: position), position < end else {
      throw Self.gone(position)
    }
    let count = try segment.file.read(into: target, at: segment.offset(of: position))
    guard count == target.count else {
      throw .corrupt(
        Corruption(
          place: "journal position \(position)", expected: "\(target.count) bytes",
          found: "\(count)"))
    }
    // A file that was recycled while it was read holds other records now.
    guard self.segment(holding: position)?.sequence == segment.sequence else {
      throw Self.gone(position)
    }
  }

  /// Forgets all records before `position`, a record's start or the end: their segments are used
  /// again. On return that is durable; what is not synced up to there is synced first, for the
  /// trim position must never lie behind the durable end.
  package func trim(before position: JournalPosition) throws(StoreError) {
    try appendMonitor.withLock { () throws(StoreError) in try requireRunning() }
    guard position <= end else {
      throw .invalid("trim the journal at \(position), behind its end \(end)")
    }
    try sync(through: position)
    try trimMonitor.withLock { () throws(StoreError) in
      guard position > trimMark.position else { return }
      try trimMark.move(to: position)
      trimmedPosition.store(position.rawValue, ordering: .releasing)
      let freed = live.withLock { live in
        let firstNeeded = live.lastIndex { $0.start <= position } ?? 0
        defer { live.removeFirst(firstNeeded) }
        return live[..<firstNeeded]
      }
      supply.retire(freed)
    }
  }

  /// Ends the journal's thread; later appends and syncs fail. Nothing is synced.
  package func close() {
    appendMonitor.withLock { phase = .closed }
    supply.stop()
  }

  func requireRunning() throws(StoreError) {
    switch phase {
    case .running:
      guard hasFailed.load(ordering: .acquiring) else { return }
      throw .readOnly(failureReason ?? "a sync failed")
    case .opened: throw .invalid("the journal has not been recovered yet")
    case .closed: throw .readOnly("the journal is closed")
    }
  }

  /// The segment that the next record goes to; starts a new one if the last has no room.
  private func activeSegment(
    withRoomFor byteCount: Int
  ) throws(StoreError) -> JournalSegmentFile {
    if let last = live.withLock({ $0.last }),
      last.offset(of: end) + byteCount <= last.byteCount
    {
      return last
    }
    let file = try supply.take()
    do throws(StoreError) {
      return try startSegment(in: file)
    } catch {
      supply.giveBack(file)
      throw error
    }
  }

  /// Makes `file` the last segment. The header is as durable as the records behind it: the sync
  /// that covers them covers it.
  func startSegment(in file: OpenFile) throws(StoreError) -> JournalSegmentFile {
    let segment = JournalSegmentFile(
      file: file, sequence: (live.withLock { $0.last?.sequence } ?? 0) + 1, start: end,
      byteCount: configuration.segmentByteCount)
    let header = JournalSegmentHeader(
      pool: pool, sequence: segment.sequence, start: segment.start,
      fileByteCount: UInt64(configuration.segmentByteCount))
    try header.encoded(checksum: checksum).withBytes { (bytes) throws(StoreError) in
      try file.write(bytes, at: 0)
    }
    live.withLock { $0.append(segment) }
    return segment
  }

  private func write(
    _ frame: JournalFrame, _ payload: UnsafeRawBufferPointer, to segment: JournalSegmentFile
  ) throws(StoreError) {
    frame.encode(into: headerBytes, checksum: checksum)
    var zeros: UInt64 = 0
    let paddingByteCount = frame.byteCount - JournalFrame.headerByteCount - payload.count
    try withUnsafeBytes(of: &zeros) { (zeros) throws(StoreError) in
      try segment.file.write(
        UnsafeRawBufferPointer(headerBytes), payload,
        UnsafeRawBufferPointer(rebasing: zeros[..<paddingByteCount]),
        at: segment.offset(of: frame.position))
    }
  }

  private func segment(holding position: JournalPosition) -> JournalSegmentFile? {
    live.withLock { live in live.last { $0.start <= position } }
  }

  private static func gone(_ position: JournalPosition) -> StoreError {
    .io(
      IOFailure(
        operation: "read journal position \(position): it was trimmed", errorNumber: staleError))
  }
}
