package import StorageModel

/// Who wrote a record, and which: the head of a journal record.
package struct RecordIdentity: Hashable, Sendable {
  package var volume: VolumeID
  package var epoch: Epoch
  package var incarnation: Incarnation
  package var lsn: LSN

  package init(volume: VolumeID, epoch: Epoch, incarnation: Incarnation, lsn: LSN) {
    self.volume = volume
    self.epoch = epoch
    self.incarnation = incarnation
    self.lsn = lsn
  }
}

/// Where an appended record lies.
package struct JournalExtent: Hashable, Sendable {
  /// The first byte of the record's payload.
  package let payload: JournalPosition
  /// One past the record: durable once the journal is synced up to here.
  package let end: JournalPosition

  package init(payload: JournalPosition, end: JournalPosition) {
    self.payload = payload
    self.end = end
  }
}

/// The write-ahead log of one pool, shared by its volumes.
///
/// Invariants: a record that `append` returned for outlives the death of the process; one that
/// `sync` returned for outlives a power cut; positions only grow; what lies before the trim point
/// is gone, everything after it can be read.
package protocol JournalStore: AnyObject, Sendable {
  /// Appends one record (DiskFormat frames it: magic, length, identity, position, checksum).
  ///
  /// `.poolFull` when no segment can be had: the caller checkpoints and tries again.
  func append(_ identity: RecordIdentity, payload: UnsafeRawBufferPointer)
    throws(StoreError) -> JournalExtent

  /// Reads `target.count` bytes at `position`, which lie inside one record's payload.
  func read(at position: JournalPosition, into target: UnsafeMutableRawBufferPointer)
    throws(StoreError)

  /// Returns once everything before `position`, and all segment data written before the call,
  /// is on stable storage. Callers at the same time share one flush.
  func sync(through position: JournalPosition) throws(StoreError)

  /// Where the next record will start.
  var end: JournalPosition { get }
}

/// The index of one pool: ordered keys and values, without a log of its own.
///
/// Invariants: a batch is applied whole; what a flush made durable is always a prefix of the
/// batches in the order in which they were written; and no flush, asked for or not, makes a batch
/// durable before the journal is synced up to where it ended when the batch was written (else a
/// power cut leaves an index that refers to records that are gone).
package protocol IndexStore: AnyObject, Sendable {
  func value(for key: [UInt8]) throws(StoreError) -> [UInt8]?

  /// Visits keys in `lower ..< upper` in order until `visit` returns false.
  func scan(
    from lower: [UInt8], to upper: [UInt8],
    _ visit: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
  ) throws(StoreError)

  func write(_ batch: IndexBatch) throws(StoreError)
}

/// Changes of the index that are applied together.
package struct IndexBatch: Sendable {
  package enum Change: Sendable {
    case put(key: [UInt8], value: [UInt8])
    case delete(key: [UInt8])
    /// Deletes keys in `lower ..< upper`.
    case deleteRange(lower: [UInt8], upper: [UInt8])
  }

  package var changes: [Change] = []

  package init() {}

  package mutating func put(_ key: [UInt8], _ value: [UInt8]) {
    changes.append(.put(key: key, value: value))
  }

  package mutating func delete(_ key: [UInt8]) { changes.append(.delete(key: key)) }

  package mutating func deleteRange(_ lower: [UInt8], _ upper: [UInt8]) {
    changes.append(.deleteRange(lower: lower, upper: upper))
  }
}

/// The append-only data files of a pool's volumes. Space is freed by punching holes.
package protocol SegmentStore: AnyObject, Sendable {
  func write(_ bytes: UnsafeRawBufferPointer, volume: VolumeID, at location: SegmentLocation)
    throws(StoreError)

  func read(
    into target: UnsafeMutableRawBufferPointer, volume: VolumeID, at location: SegmentLocation)
    throws(StoreError)

  /// Gives a range's space back to the host's file system; from now on it reads as zeros, or
  /// fails once its whole segment is gone.
  func free(volume: VolumeID, at location: SegmentLocation, byteCount: UInt64) throws(StoreError)

  /// Cuts off what lies behind `location` in its segment and removes later segments: space that
  /// was reserved before a crash but never committed.
  func truncate(volume: VolumeID, after location: SegmentLocation) throws(StoreError)

  /// Removes all segments of a volume.
  func removeAll(volume: VolumeID) throws(StoreError)
}
