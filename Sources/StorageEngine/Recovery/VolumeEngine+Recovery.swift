import DiskFormat
package import IOSeams
package import StorageModel

/// What became of a record in replay.
package enum ReplayOutcome: Hashable, Sendable {
  case applied
  /// The index had it already.
  case skipped
  /// The journal ends before this record: it does not follow what was applied, or data that it
  /// maps was lost in a power cut. Nothing of it was applied.
  case stop(Corruption)
  /// The same, of a record that was synced: this is no end but damage. The other volumes go on;
  /// this one's `finishRecovery` throws.
  case damaged(Corruption)
}

extension VolumeEngine {
  /// Applies the next record of the journal, in the second pass of recovery. Idempotent.
  ///
  /// Data that the record maps is read and verified if it may have been lost: if the record ends
  /// behind the survey's barrier. A `.corrupt` that is thrown, unlike `.stop`, is damage to the
  /// index.
  package mutating func replay(
    _ identity: RecordIdentity, payload: UnsafeRawBufferPointer, extent: JournalExtent,
    barrier: JournalPosition
  ) throws(StoreError) -> ReplayOutcome {
    if identity.lsn <= state.lastLSN {
      try registerResidents(payload, extent)
      return .skipped
    }
    let reader: RecordReader
    do throws(Corruption) {
      try requireSuccessor(identity)
      reader = try RecordReader(payload)
      try requireMatch(reader, identity)
    } catch {
      guard extent.end <= barrier else { return .stop(error) }
      if damage == nil { damage = error }
      return .damaged(error)
    }
    if extent.end > barrier, let damage = try damagedMapping(reader) { return .stop(damage) }
    var draft = makeDraft(identity)
    var entries = reader
    while let entry = try corrupt({ () throws(Corruption) in try entries.next() }) {
      try draft.apply(entry, to: description)
    }
    try apply(draft, extent)
    return .applied
  }

  private func requireMatch(
    _ reader: RecordReader, _ identity: RecordIdentity
  ) throws(Corruption) {
    guard reader.tagByteCount == sealer.tagByteCount, reader.blockSize == blockSize else {
      throw Corruption(
        place: "record \(identity.lsn) of volume \(id)",
        expected: "tags of \(sealer.tagByteCount) bytes and blocks of \(blockSize.byteCount)",
        found: "\(reader.tagByteCount) and \(reader.blockSize.byteCount)")
    }
  }

  /// Throws unless the record follows the last one that was applied.
  private func requireSuccessor(_ identity: RecordIdentity) throws(Corruption) {
    let place = "record \(identity.lsn) of volume \(id)"
    guard identity.lsn == state.lastLSN.next else {
      throw Corruption(
        place: place, expected: "LSN \(state.lastLSN.next)", found: "LSN \(identity.lsn)")
    }
    // A record that an earlier recovery cut off can fit behind a new one; its incarnation tells.
    let found = (identity.epoch, identity.incarnation)
    guard found >= (state.epoch, state.incarnation) else {
      throw Corruption(
        place: place,
        expected: "epoch \(state.epoch), incarnation \(state.incarnation.rawValue) or later",
        found: "epoch \(identity.epoch), incarnation \(identity.incarnation.rawValue)")
    }
  }

  /// The first block mapped by the record that does not verify.
  private func damagedMapping(
    _ reader: RecordReader
  ) throws(StoreError) -> Corruption? {
    var reader = reader
    while let entry = try corrupt({ () throws(Corruption) in try reader.next() }) {
      guard case .map(let object, let firstBlock, let extent) = entry else { continue }
      let seal = SealStamp(
        epoch: extent.epoch, incarnation: extent.incarnation, lsn: extent.sealLSN, position: 0)
      var plan = ReadPlan(
        volume: id, object: object, offsetBytes: firstBlock.rawValue << UInt64(blockSize.shift),
        byteCount: extent.blockCount << blockSize.shift, blockSize: blockSize)
      plan.pieces = [
        ReadPlan.Piece(
          firstBlock: firstBlock, blockCount: extent.blockCount,
          place: .segment(extent.location), seal: seal, tagOffset: 0)
      ]
      plan.tags = extent.tags
      var bytes = [UInt8](repeating: 0, count: plan.byteCount)
      do throws(ReadFailure) {
        try bytes.withMutableRawBytes { (bytes) throws(ReadFailure) in
          try plan.execute(into: bytes, journal: journal, segments: segments, sealer: sealer)
        }
      } catch {
        switch error {
        case .corrupt(let address): return address.corruption
        case .store(let error): throw error
        }
      }
    }
    return nil
  }

  /// Remembers the blocks that a record which the index had already keeps in the journal.
  private mutating func registerResidents(
    _ payload: UnsafeRawBufferPointer, _ extent: JournalExtent
  ) throws(StoreError) {
    var found: [JournalResident] = []
    do throws(Corruption) {
      var reader = try RecordReader(payload)
      while let entry = try reader.next() {
        guard case .blocks(let blocks) = entry else { continue }
        found.append(
          JournalResident(
            range: BlockRange(
              object: blocks.object, firstBlock: blocks.firstBlock,
              blockCount: UInt64(blocks.blockCount)),
            position: extent.payload.advanced(byByteCount: blocks.dataOffset)))
      }
    } catch { throw .corrupt(error) }
    for resident in found { residents.append(resident) }
  }

  /// Ends recovery, once the journal was replayed up to its end: gives back the space that was
  /// reserved and never mapped, and cuts the segments off behind the frontier.
  ///
  /// Throws `.corrupt` if a synced record could not be applied, or if the index refers to records
  /// that the journal has lost.
  package mutating func finishRecovery(journalEnd: JournalPosition) throws(StoreError) {
    if let damage { throw .corrupt(damage) }
    guard state.lastEnd <= journalEnd else {
      throw .corrupt(
        Corruption(
          place: "journal, for volume \(id)", expected: "records up to \(state.lastEnd)",
          found: "its end at \(journalEnd)"))
    }
    try segments.truncate(volume: id, after: state.frontier)
    guard !state.reservations.isEmpty else { return }
    var next = state
    next.reservations = []
    var batch = IndexBatch()
    for range in state.reservations {
      batch.put(keys.pendingFree(range.location), range.encodedByteCount)
    }
    batch.put(keys.state, next.encoded())
    try index.write(batch)
    state = next
  }
}
