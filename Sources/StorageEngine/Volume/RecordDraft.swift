import DiskFormat
import IOSeams
import StorageModel

/// What one record changes, on its way into the index. Commit and replay make the same draft from
/// the same entries, and that makes replay exact.
///
/// Reads the index, never writes it: a draft that is thrown away has changed nothing.
struct RecordDraft<Index: IndexStore> {
  /// A chunk as the record leaves it.
  private struct DraftChunk {
    var chunk: Chunk
    /// Whether the index has a value under the head key.
    var isStored: Bool
  }

  let identity: RecordIdentity
  let index: Index
  let keys: IndexKey
  let blockSize: BlockSize
  let tagByteCount: Int
  /// The volume's state after the record, but for what only the journal knows.
  var state: VolumeState
  /// The new description, if the record changes it.
  var description: ReplicaDescription?
  /// Blocks that occupy more (or fewer) than before the record.
  var usedDelta: Int64 = 0
  private(set) var freed = FreedRanges()
  /// Runs of blocks that the record carries, places counted from its payload.
  private(set) var inlineBlocks: [(range: BlockRange, dataOffset: Int)] = []
  /// Block ranges that got new content.
  private(set) var overwritten: [BlockRange] = []
  private var batch = IndexBatch()
  private var chunks: [ChunkAddress: DraftChunk] = [:]
  private var cleared: [(object: ObjectNumber, chunks: ClosedRange<UInt64>)] = []

  init(
    identity: RecordIdentity, index: Index, keys: IndexKey, blockSize: BlockSize,
    tagByteCount: Int, state: VolumeState
  ) {
    self.identity = identity
    self.index = index
    self.keys = keys
    self.blockSize = blockSize
    self.tagByteCount = tagByteCount
    self.state = state
    self.state.epoch = identity.epoch
    self.state.incarnation = identity.incarnation
    self.state.lastLSN = identity.lsn
  }

  private func stamp(_ position: UInt32) -> SealStamp {
    SealStamp(
      epoch: identity.epoch, incarnation: identity.incarnation, lsn: identity.lsn,
      position: position)
  }
}

// MARK: Keys

extension RecordDraft {
  mutating func put(
    _ key: StoreKey, sealPosition: UInt32, tag: UnsafeRawBufferPointer,
    sealedBytes: UnsafeRawBufferPointer
  ) throws(StoreError) {
    try keepHistory(of: key)
    let value = HeadValue(
      bornGeneration: state.generation, seal: stamp(sealPosition), tag: tag,
      sealedBytes: sealedBytes)
    batch.put(keys.head(key), value.encoded())
  }

  mutating func delete(_ key: StoreKey) throws(StoreError) {
    try keepHistory(of: key)
    batch.delete(keys.head(key))
  }

  /// Moves a value that a snapshot can see to the history. Before the first snapshot nothing can
  /// be seen, and nothing is looked up.
  private mutating func keepHistory(of key: StoreKey) throws(StoreError) {
    guard let last = state.generation.previous,
      let old = try index.value(for: keys.head(key))
    else { return }
    let born = try corrupt { () throws(Corruption) in
      try old.decoded { (bytes) throws(Corruption) in
        try HeadValue.decode(bytes, tagByteCount: tagByteCount).bornGeneration
      }
    }
    guard born <= last else { return }
    batch.put(keys.history(key, through: last), old)
  }
}

// MARK: Blocks

extension RecordDraft {
  /// The chunk as it is now, inside the record; nil if it has no blocks.
  func chunk(at address: ChunkAddress) throws(StoreError) -> Chunk? {
    if let draft = chunks[address] { return draft.chunk }
    return try storedChunk(at: address)?.chunk
  }

  /// Blocks whose sealed bytes the record carries.
  mutating func write(_ blocks: InlineBlocks) throws(StoreError) {
    let range = BlockRange(
      object: blocks.object, firstBlock: blocks.firstBlock,
      blockCount: UInt64(blocks.blockCount))
    try fill(
      range, place: .record(offsetBytes: blocks.dataOffset), seal: stamp(blocks.sealPosition),
      tags: blocks.tags)
    inlineBlocks.append((range, blocks.dataOffset))
  }

  /// Blocks that lie in a segment already. The reservation that they were written in ends.
  mutating func map(
    _ object: ObjectNumber, _ firstBlock: BlockNumber, _ extent: PreparedExtent
  ) throws(StoreError) {
    let range = BlockRange(
      object: object, firstBlock: firstBlock, blockCount: UInt64(extent.blockCount))
    let seal = SealStamp(
      epoch: extent.epoch, incarnation: extent.incarnation, lsn: extent.sealLSN, position: 0)
    var result: Result<Void, StoreError> = .success(())
    extent.tags.withUnsafeBytes { tags in
      do throws(StoreError) {
        try fill(range, place: .segment(extent.location), seal: seal, tags: tags)
      } catch { result = .failure(error) }
    }
    try result.get()
  }

  private mutating func fill(
    _ range: BlockRange, place: BlockPlace, seal: SealStamp, tags: UnsafeRawBufferPointer
  ) throws(StoreError) {
    var done = 0
    try range.forEachChunk { (address, part) throws(StoreError) in
      let run = ChunkRun(
        first: part.lowerBound, count: part.count,
        place: place.advanced(byByteCount: done * blockSize.byteCount),
        seal: seal.advanced(by: done), lastLSN: identity.lsn)
      let partTags = UnsafeRawBufferPointer(
        rebasing: tags[done * tagByteCount..<(done + part.count) * tagByteCount])
      try edit(address) { chunk, draft in
        chunk.replace(part, with: run, blockByteCount: draft.blockSize.byteCount) {
          draft.release($0)
        }
        chunk.setTags(partTags, at: part.lowerBound)
        draft.usedDelta += Int64(part.count)
      }
      done += part.count
    }
    overwritten.append(range)
  }

  /// Charges the blocks of the range that do not exist yet.
  mutating func allocate(_ range: BlockRange) throws(StoreError) {
    try range.forEachChunk { (address, part) throws(StoreError) in
      let gaps = try chunk(at: address)?.gaps(in: part) ?? [part]
      guard !gaps.isEmpty else { return }
      try edit(address) { chunk, draft in
        for gap in gaps {
          let run = ChunkRun(
            first: gap.lowerBound, count: gap.count, place: .allocated, seal: draft.stamp(0),
            lastLSN: draft.identity.lsn)
          chunk.replace(gap, with: run, blockByteCount: draft.blockSize.byteCount) { _ in }
          draft.usedDelta += Int64(gap.count)
        }
      }
    }
  }

  /// Frees whole blocks. Costs grow with the chunks that exist in the range, not with its length.
  mutating func free(_ range: BlockRange) throws(StoreError) {
    guard range.blockCount > 0 else { return }
    let perChunk = UInt64(ChunkNumber.blockCount)
    let end = range.firstBlock.rawValue + range.blockCount
    let firstWhole = (range.firstBlock.rawValue + perChunk - 1) / perChunk
    let lastWhole = end / perChunk
    overwritten.append(range)
    guard firstWhole < lastWhole else {
      return try range.forEachChunk { (address, part) throws(StoreError) in
        try freePart(address, part)
      }
    }
    let head = firstWhole * perChunk - range.firstBlock.rawValue
    let tail = end - lastWhole * perChunk
    if head > 0 {
      let first = ChunkAddress(object: range.object, chunk: range.firstBlock.chunk)
      try freePart(first, range.firstBlock.indexInChunk..<ChunkNumber.blockCount)
    }
    try freeWhole(range.object, firstWhole...(lastWhole - 1))
    if tail > 0 {
      try freePart(ChunkAddress(object: range.object, chunk: ChunkNumber(lastWhole)), 0..<Int(tail))
    }
  }

  private mutating func freePart(
    _ address: ChunkAddress, _ part: Range<Int>
  ) throws(StoreError) {
    guard let chunk = try chunk(at: address),
      chunk.runs.contains(where: { $0.end > part.lowerBound && $0.first < part.upperBound })
    else { return }
    try edit(address) { chunk, draft in
      chunk.replace(part, with: nil, blockByteCount: draft.blockSize.byteCount) {
        draft.release($0)
      }
    }
  }

  /// Frees chunks as a whole, without keeping them in memory.
  private mutating func freeWhole(
    _ object: ObjectNumber, _ range: ClosedRange<UInt64>
  ) throws(StoreError) {
    for (address, draft) in chunks
    where address.object == object && range.contains(address.chunk.rawValue) {
      for run in draft.chunk.runs { release(run) }
      chunks[address]?.chunk.runs = []
    }
    var stored: [ChunkAddress] = []
    try ChunkScan.visit(
      object, range, index: index, keys: keys, tagByteCount: tagByteCount
    ) { (address, chunk, bytes) throws(StoreError) in
      guard chunks[address] == nil, !isCleared(address) else { return true }
      for run in chunk.runs { release(run) }
      keepHistory(of: address, chunk.bornGeneration, bytes)
      stored.append(address)
      return true
    }
    guard !stored.isEmpty else { return }
    for address in stored { batch.delete(keys.headChunk(address.object, address.chunk)) }
    cleared.append((object, range))
  }

  /// Accounts for blocks that left the head. Space that a snapshot can see stays.
  private mutating func release(_ run: ChunkRun) {
    usedDelta -= Int64(run.count)
    guard case .segment(let location) = run.place, run.lastLSN > state.generationStart else {
      return
    }
    freed.insert(location, byteCount: UInt64(run.count) << UInt64(blockSize.shift))
  }
}

// MARK: Chunks

extension RecordDraft {
  private func isCleared(_ address: ChunkAddress) -> Bool {
    cleared.contains { $0.object == address.object && $0.chunks.contains(address.chunk.rawValue) }
  }

  private func storedChunk(
    at address: ChunkAddress
  ) throws(StoreError) -> (chunk: Chunk, bytes: [UInt8])? {
    guard !isCleared(address),
      let bytes = try index.value(for: keys.headChunk(address.object, address.chunk))
    else { return nil }
    let chunk = try corrupt { () throws(Corruption) in
      try bytes.decoded { (bytes) throws(Corruption) in
        try Chunk.decode(bytes, tagByteCount: tagByteCount)
      }
    }
    return (chunk, bytes)
  }

  /// Changes a chunk; the first change of one that a snapshot can see keeps it in the history.
  private mutating func edit(
    _ address: ChunkAddress, _ change: (inout Chunk, inout RecordDraft) -> Void
  ) throws(StoreError) {
    // Taken out while it changes, so that its arrays are not copied.
    var draft: DraftChunk
    if let position = chunks.index(forKey: address) {
      draft = chunks.remove(at: position).value
    } else if let stored = try storedChunk(at: address) {
      stored.bytes.withUnsafeBytes { keepHistory(of: address, stored.chunk.bornGeneration, $0) }
      draft = DraftChunk(chunk: stored.chunk, isStored: true)
      draft.chunk.bornGeneration = state.generation
    } else {
      draft = DraftChunk(
        chunk: Chunk(bornGeneration: state.generation, tagByteCount: tagByteCount),
        isStored: false)
    }
    change(&draft.chunk, &self)
    chunks[address] = draft
  }

  private mutating func keepHistory(
    of address: ChunkAddress, _ born: Generation, _ bytes: UnsafeRawBufferPointer
  ) {
    guard let last = state.generation.previous, born <= last else { return }
    batch.put(keys.historyChunk(address.object, address.chunk, through: last), Array(bytes))
  }

  /// All changes, once the record's place in the journal is known.
  consuming func finished(_ extent: JournalExtent) -> (batch: IndexBatch, state: VolumeState) {
    state.lastEnd = extent.end
    state.usedBlocks = UInt64(Int64(state.usedBlocks) + usedDelta)
    for (address, draft) in chunks {
      let key = keys.headChunk(address.object, address.chunk)
      if !draft.chunk.runs.isEmpty {
        batch.put(key, draft.chunk.encoded(recordPayload: extent.payload))
      } else if draft.isStored {
        batch.delete(key)
      }
    }
    for range in freed.ranges {
      batch.put(keys.pendingFree(range.location), range.encodedByteCount)
    }
    if let description {
      batch.put(CatalogueKey.key(identity.volume), description.encoded())
    }
    batch.put(keys.state, state.encoded())
    return (batch, state)
  }
}

extension Generation {
  /// The generation before; nil for the first.
  var previous: Generation? { rawValue > 1 ? Generation(rawValue - 1) : nil }
}

/// Turns what a decoder throws into the engine's error.
func corrupt<Value>(_ decode: () throws(Corruption) -> Value) throws(StoreError) -> Value {
  do { return try decode() } catch { throw .corrupt(error) }
}
