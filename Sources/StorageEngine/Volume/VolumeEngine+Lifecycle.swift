package import DiskFormat
package import IOSeams
package import StorageModel

extension VolumeEngine {
  /// Makes a new, empty volume: journaled and durable on return, open for writing.
  package static func create(
    _ description: ReplicaDescription, index: Index, journal: Journal, segments: Segments,
    sealer: Sealer, epoch: Epoch = .first
  ) throws(StoreError) -> VolumeEngine {
    let specification = description.specification
    guard specification.capacityBytes >= UInt64(specification.blockSize.byteCount) else {
      throw .invalid("a volume has at least one block")
    }
    var engine = VolumeEngine(
      description: description, state: VolumeState(epoch: epoch), index: index,
      journal: journal, segments: segments, sealer: sealer)
    engine.state.incarnation = Incarnation(1)
    engine.isOpen = true
    let receipt = try engine.administer(.created(description)) { $0.created(description) }
    try journal.sync(through: receipt.end)
    return engine
  }

  /// The volume as the index has it; nil if there is none. Before anything else the journal must
  /// be replayed, then `finishRecovery`, then `open`.
  package static func load(
    _ id: VolumeID, index: Index, journal: Journal, segments: Segments, sealer: Sealer
  ) throws(StoreError) -> VolumeEngine? {
    guard let description = try VolumeCatalogue.description(of: id, in: index),
      let bytes = try index.value(for: IndexKey(id).state)
    else { return nil }
    let state: VolumeState
    do {
      state = try bytes.decoded { (bytes) throws(Corruption) in
        try VolumeState.decode(bytes)
      }
    } catch { throw .corrupt(error) }
    return VolumeEngine(
      description: description, state: state, index: index, journal: journal,
      segments: segments, sealer: sealer)
  }

  /// An empty volume to replay its whole journal into, the record that created it first.
  package static func recreate(
    _ description: ReplicaDescription, index: Index, journal: Journal, segments: Segments,
    sealer: Sealer
  ) -> VolumeEngine {
    VolumeEngine(
      description: description, state: VolumeState(epoch: .first), index: index,
      journal: journal, segments: segments, sealer: sealer)
  }

  /// Begins a new incarnation, durable before any seal is made in it: a record that a crash took
  /// gives its LSN back, never its nonce.
  package mutating func open(epoch: Epoch) throws(StoreError) {
    guard epoch >= state.epoch else {
      throw .invalid("epoch \(epoch) is older than the volume's \(state.epoch)")
    }
    if let readOnlyReason { throw .readOnly(readOnlyReason) }
    isOpen = false
    let before = state
    state.epoch = epoch
    state.incarnation = state.incarnation.next
    directSealCount = 0
    sealPosition = 0
    do {
      let receipt = try administer(.opened) { $0.opened() }
      try journal.sync(through: receipt.end)
    } catch {
      if readOnlyReason == nil, state.lastLSN == before.lastLSN { state = before }
      throw error
    }
    isOpen = true
  }

  /// Gives the volume this capacity, at least what it has.
  package mutating func expand(toBytes capacityBytes: UInt64) throws(StoreError) -> CommitReceipt {
    try requireWritable()
    guard capacityBytes >= description.specification.capacityBytes else {
      throw .invalid("a volume cannot shrink")
    }
    return try administer(.capacityChanged(capacityBytes: capacityBytes)) {
      $0.capacityChanged(toBytes: capacityBytes)
    }
  }

  /// Ends the current generation: what exists now is kept when it is overwritten.
  package mutating func snapshot() throws(StoreError) -> CommitReceipt {
    try requireWritable()
    let generation = state.generation
    return try administer(.generationEnded(generation)) { $0.generationEnded(generation) }
  }

  /// Removes the volume from the journal's and the index's view; durable on return.
  ///
  /// The runtime then flushes the index and calls `segments.removeAll`, in this order: until the
  /// flush, a crash brings records back whose replay would look at the segments.
  package mutating func drop() throws(StoreError) {
    try requireWritable()
    recordWriter.start()
    recordWriter.dropped()
    let extent = try append(nextIdentity)
    stopWrites(reason: "the volume was deleted")
    try journal.sync(through: extent.end)
    try VolumeCatalogue.remove(id, from: index)
  }

  /// Journals and applies one administrative entry.
  private mutating func administer(
    _ entry: RecordEntry, _ write: (inout RecordWriter) -> Void
  ) throws(StoreError) -> CommitReceipt {
    recordWriter.start()
    write(&recordWriter)
    var draft = makeDraft(nextIdentity)
    draft.applyAdministration(entry, to: description)
    return try finish(draft)
  }
}

/// Which volumes have a replica in a pool.
package enum VolumeCatalogue {
  package static func description(
    of id: VolumeID, in index: some IndexStore
  ) throws(StoreError) -> ReplicaDescription? {
    guard let bytes = try index.value(for: CatalogueKey.key(id)) else { return nil }
    do {
      return try bytes.decoded { (bytes) throws(Corruption) in
        try ReplicaDescription.decode(bytes)
      }
    } catch { throw .corrupt(error) }
  }

  /// All replicas of the pool, in the order of their volumes' IDs.
  package static func descriptions(
    in index: some IndexStore
  ) throws(StoreError) -> [ReplicaDescription] {
    var result: Result<[ReplicaDescription], Corruption> = .success([])
    try index.scan(from: CatalogueKey.lowerBound, to: CatalogueKey.upperBound) { _, value in
      do throws(Corruption) {
        result = .success(try result.get() + [try ReplicaDescription.decode(value)])
        return true
      } catch {
        result = .failure(error)
        return false
      }
    }
    do { return try result.get() } catch { throw .corrupt(error) }
  }

  /// Removes all that the index has of a volume.
  package static func remove(
    _ id: VolumeID, from index: some IndexStore
  ) throws(StoreError) {
    let keys = IndexKey(id)
    var batch = IndexBatch()
    batch.delete(CatalogueKey.key(id))
    batch.deleteRange(keys.lowerBound, keys.upperBound)
    try index.write(batch)
  }
}
