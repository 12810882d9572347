import DiskFormat
package import IOSeams
package import StorageModel

/// The first of recovery's two passes over the journal: what must be known of its end before its
/// beginning is replayed.
package struct RecoverySurvey: Sendable {
  /// Everything before was synced: a record there and the segments it maps are whole.
  package private(set) var barrier = JournalPosition.zero
  private var drops: [VolumeID: JournalPosition] = [:]

  package init() {}

  /// Takes note of the next record. `barrier` stands in its frame.
  package mutating func observe(
    _ identity: RecordIdentity, payload: UnsafeRawBufferPointer, extent: JournalExtent,
    barrier: JournalPosition
  ) throws(StoreError) {
    self.barrier = max(self.barrier, barrier)
    let isDrop = try corrupt { () throws(Corruption) in try RecordPayload.isDrop(payload) }
    if isDrop { drops[identity.volume] = extent.end }
  }

  /// Whether the record belongs to a volume that a later record, or this one, deletes: it is not
  /// replayed.
  package func isDropped(_ identity: RecordIdentity, _ extent: JournalExtent) -> Bool {
    drops[identity.volume].map { extent.end <= $0 } ?? false
  }

  /// The volumes that the index may still have although they were deleted: before the second
  /// pass their entries are removed, unless the state found there is younger.
  package func removeDropped(from index: some IndexStore) throws(StoreError) {
    for (volume, position) in drops {
      guard let bytes = try index.value(for: IndexKey(volume).state) else { continue }
      let state = try corrupt { () throws(Corruption) in
        try bytes.decoded { (bytes) throws(Corruption) in
          try VolumeState.decode(bytes)
        }
      }
      if state.lastEnd <= position { try VolumeCatalogue.remove(volume, from: index) }
    }
  }

  /// Volumes with a deletion in the journal; their segments are removed after the index was
  /// flushed, unless the volume was created again.
  package var droppedVolumes: [VolumeID] { drops.keys.sorted() }
}
