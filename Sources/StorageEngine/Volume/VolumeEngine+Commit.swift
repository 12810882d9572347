import DiskFormat
import IOSeams
package import StorageModel

extension VolumeEngine: VolumeStore {
  /// See `VolumeStore`. Budget for a few small puts, apart from seals, journal and index: one
  /// encoded value each, one batch, no look-up; data is copied once, into the record.
  ///
  /// Throws `.noSpace` to the block, `.invalid` for a bound that is broken, `.corrupt` if a block
  /// that is to be kept in part does not verify; then nothing has changed.
  package mutating func commit(
    _ transaction: Transaction
  ) throws(StoreError) -> CommitReceipt {
    try requireWritable()
    try validate(transaction)
    recordWriter.start()
    var draft = makeDraft(nextIdentity)
    let firstSealPosition = sealPosition
    do {
      for mutation in transaction.mutations { try stage(mutation, in: &draft) }
      try requireCapacity(for: draft)
    } catch {
      // These seals never left memory: their numbers are free again.
      sealPosition = firstSealPosition
      throw error
    }
    return try finish(draft)
  }

  func makeDraft(_ identity: RecordIdentity) -> RecordDraft<Index> {
    RecordDraft(
      identity: identity, index: index, keys: keys, blockSize: blockSize,
      tagByteCount: sealer.tagByteCount, state: state)
  }

  private func requireCapacity(for draft: RecordDraft<Index>) throws(StoreError) {
    guard draft.usedDelta > 0 else { return }
    let needed = UInt64(draft.usedDelta)
    let available = capacityBlocks - min(capacityBlocks, state.usedBlocks)
    guard needed <= available else {
      throw .noSpace(neededBlocks: needed, availableBlocks: available)
    }
  }

  /// Journals the record that was written and applies its draft.
  mutating func finish(_ draft: RecordDraft<Index>) throws(StoreError) -> CommitReceipt {
    let extent = try append(draft.identity)
    do {
      try apply(draft, extent)
    } catch {
      stopWrites(reason: "a record was journaled but not applied: \(error)")
      throw error
    }
    sealPosition = 0
    return CommitReceipt(lsn: draft.identity.lsn, end: extent.end)
  }

  /// Appends the record that was written. On an error nothing has changed, but the seals that it
  /// carried may have reached the disk: `sealPosition` stays behind them.
  mutating func append(_ identity: RecordIdentity) throws(StoreError) -> JournalExtent {
    guard recordWriter.byteCount <= JournalFrame.maximumPayloadByteCount else {
      throw .invalid(
        "a record has at most \(JournalFrame.maximumPayloadByteCount) bytes, this one "
          + "\(recordWriter.byteCount)")
    }
    let journal = journal
    return try recordWriter.withPayload { (payload) throws(StoreError) in
      try journal.append(identity, payload: UnsafeRawBufferPointer(payload))
    }
  }

  /// Writes a draft's changes to the index; the volume's state follows.
  mutating func apply(
    _ draft: RecordDraft<Index>, _ extent: JournalExtent
  ) throws(StoreError) {
    let inlineBlocks = draft.inlineBlocks
    let overwritten = draft.overwritten
    let newDescription = draft.description
    let freedBytes = draft.freed.byteCount
    let (batch, newState) = draft.finished(extent)
    try index.write(batch)
    state = newState
    freedByteCount += freedBytes
    if let newDescription { description = newDescription }
    for (range, dataOffset) in inlineBlocks {
      residents.append(
        JournalResident(
          range: range, position: extent.payload.advanced(byByteCount: dataOffset)))
    }
    for range in overwritten { corruption.remove(range) }
  }
}

// MARK: Staging

extension VolumeEngine {
  private mutating func stage(
    _ mutation: Mutation, in draft: inout RecordDraft<Index>
  ) throws(StoreError) {
    switch mutation {
    case .put(let key, let value): try stagePut(key, value, &draft)
    case .delete(let key):
      recordWriter.delete(key)
      try draft.delete(key)
    case .write(let object, let offsetBytes, let bytes):
      try stageWrite(object, offsetBytes, bytes.count, bytes, &draft)
    case .map(let object, let firstBlock, let extent):
      let range = extent.range(blockSize: blockSize)
      guard draft.state.isReserved(range) else {
        throw .invalid("the extent at \(extent.location) was not reserved")
      }
      recordWriter.map(object, firstBlock, extent)
      try draft.apply(
        .map(object: object, firstBlock: firstBlock, extent: extent), to: description)
    case .zero(let object, let offsetBytes, let byteCount):
      try stageZero(object, offsetBytes, byteCount, &draft)
    case .allocate(let object, let firstBlock, let blockCount):
      guard blockCount <= capacityBlocks else {
        throw .noSpace(
          neededBlocks: blockCount,
          availableBlocks: capacityBlocks - min(capacityBlocks, usedBlocks))
      }
      let range = BlockRange(object: object, firstBlock: firstBlock, blockCount: blockCount)
      recordWriter.allocate(range)
      try draft.allocate(range)
    }
  }

  private mutating func takeSealPositions(_ count: Int) -> UInt32 {
    defer { sealPosition += UInt32(count) }
    return sealPosition
  }

  private func stamp(_ position: UInt32) -> SealStamp {
    SealStamp(
      epoch: state.epoch, incarnation: state.incarnation, lsn: state.lastLSN.next,
      position: position)
  }

  private mutating func stagePut(
    _ key: StoreKey, _ value: [UInt8], _ draft: inout RecordDraft<Index>
  ) throws(StoreError) {
    let position = takeSealPositions(1)
    let nonce = stamp(position).nonce
    let tagOffset = recordWriter.put(key, valueByteCount: value.count, sealPosition: position)
    let sealer = sealer
    try recordWriter.withPayload { (payload) throws(StoreError) in
      let tagEnd = tagOffset + sealer.tagByteCount
      let tag = UnsafeMutableRawBufferPointer(rebasing: payload[tagOffset..<tagEnd])
      let target = UnsafeMutableRawBufferPointer(
        rebasing: payload[tagEnd..<tagEnd + value.count])
      value.withUnsafeBytes {
        sealer.seal($0, into: target, nonce: nonce, place: .value(key: key), tag: tag)
      }
      try draft.put(
        key, sealPosition: position, tag: UnsafeRawBufferPointer(tag),
        sealedBytes: UnsafeRawBufferPointer(target))
    }
  }

  /// Writes `source`, or zeros, as whole blocks: what a block keeps of its old bytes is read.
  private mutating func stageWrite(
    _ object: ObjectNumber, _ offsetBytes: UInt64, _ byteCount: Int,
    _ source: UnsafeRawBufferPointer?, _ draft: inout RecordDraft<Index>
  ) throws(StoreError) {
    guard byteCount > 0 else { return }
    let size = blockSize.byteCount
    let first = blockSize.block(holding: offsetBytes)
    let last = blockSize.block(holding: offsetBytes + UInt64(byteCount) - 1)
    let count = Int(last.rawValue - first.rawValue) + 1
    let skipped = Int(offsetBytes - first.rawValue << UInt64(blockSize.shift))
    let headIsPartial = skipped > 0 || (count == 1 && byteCount < size)
    let tailIsPartial = count > 1 && (skipped + byteCount) % size != 0
    let head = headIsPartial ? try oldBlock(object, first, draft) : nil
    let tail = tailIsPartial ? try oldBlock(object, last, draft) : nil
    let position = takeSealPositions(count)
    let tagsOffset = recordWriter.blocks(object, first, blockCount: count, sealPosition: position)
    let layout = WriteLayout(
      object: object, firstBlock: first, blockCount: count, blockByteCount: size,
      skippedByteCount: skipped, byteCount: byteCount, tagsOffset: tagsOffset,
      tagByteCount: sealer.tagByteCount, seal: stamp(position))
    let sealer = sealer
    try recordWriter.withPayload { (payload) throws(StoreError) in
      layout.seal(source, head: head, tail: tail, into: payload, sealer)
      try draft.write(layout.inlineBlocks(UnsafeRawBufferPointer(payload)))
    }
  }

  /// The opened bytes of a block of which a part is kept; nil if it has no data.
  private mutating func oldBlock(
    _ object: ObjectNumber, _ block: BlockNumber, _ draft: RecordDraft<Index>
  ) throws(StoreError) -> [UInt8]? {
    let address = ChunkAddress(object: object, chunk: block.chunk)
    guard let chunk = try draft.chunk(at: address),
      let run = chunk.run(holding: block.indexInChunk), run.hasData
    else { return nil }
    let size = blockSize.byteCount
    let one = run.part(block.indexInChunk..<block.indexInChunk + 1, blockByteCount: size)
    var bytes = [UInt8](repeating: 0, count: size)
    switch one.place {
    case .record(let offset):
      recordWriter.withPayload { payload in
        bytes.withUnsafeMutableBytes {
          $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: payload[offset..<offset + size]))
        }
      }
    case .journal(let position):
      try bytes.withMutableRawBytes { (bytes) throws(StoreError) in
        try journal.read(at: position, into: bytes)
      }
    case .segment(let location):
      try bytes.withMutableRawBytes { (bytes) throws(StoreError) in
        try segments.read(into: bytes, volume: id, at: location)
      }
    case .allocated: return nil
    }
    let tagOffset = block.indexInChunk * sealer.tagByteCount
    let place = SealPlace.block(object: object, block: block)
    let opens = bytes.withUnsafeMutableBytes { bytes in
      chunk.tags.withUnsafeBytes { tags in
        sealer.open(
          bytes, nonce: one.seal.nonce, place: place,
          tag: UnsafeRawBufferPointer(
            rebasing: tags[tagOffset..<tagOffset + sealer.tagByteCount]))
      }
    }
    guard opens else {
      let damaged = BlockAddress(object: object, block: block)
      noteCorruption(at: damaged)
      throw .corrupt(damaged.corruption)
    }
    return bytes
  }

  /// Frees the whole blocks of a byte range and writes zeros to the edges that have data.
  private mutating func stageZero(
    _ object: ObjectNumber, _ offsetBytes: UInt64, _ byteCount: UInt64,
    _ draft: inout RecordDraft<Index>
  ) throws(StoreError) {
    let end = min(offsetBytes.addingSaturating(byteCount), Self.maximumObjectByteCount)
    guard offsetBytes < end else { return }
    let shift = UInt64(blockSize.shift)
    let firstWhole = blockSize.blockCount(holding: offsetBytes)
    let endWhole = end >> shift
    if firstWhole > endWhole {
      return try stageZeroEdge(object, offsetBytes, end, &draft)
    }
    try stageZeroEdge(object, offsetBytes, firstWhole << shift, &draft)
    if firstWhole < endWhole {
      let range = BlockRange(
        object: object, firstBlock: BlockNumber(firstWhole), blockCount: endWhole - firstWhole)
      recordWriter.free(range)
      try draft.free(range)
    }
    try stageZeroEdge(object, endWhole << shift, end, &draft)
  }

  private mutating func stageZeroEdge(
    _ object: ObjectNumber, _ start: UInt64, _ end: UInt64, _ draft: inout RecordDraft<Index>
  ) throws(StoreError) {
    guard start < end else { return }
    let block = blockSize.block(holding: start)
    let address = ChunkAddress(object: object, chunk: block.chunk)
    guard let run = try draft.chunk(at: address)?.run(holding: block.indexInChunk), run.hasData
    else { return }
    try stageWrite(object, start, Int(end - start), nil, &draft)
  }
}
