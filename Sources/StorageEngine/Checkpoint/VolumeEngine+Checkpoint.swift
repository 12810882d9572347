package import DiskFormat
import IOSeams
package import StorageModel

extension VolumeEngine {
  /// The earliest journal position that holds data which lives nowhere else; nil if none does.
  package var journalFloor: JournalPosition? { residents.floor }

  /// Runs of blocks that wait in the journal.
  package var journalResidentCount: Int { residents.count }

  /// The next blocks before `position` that must leave the journal, about `limitByteCount` bytes
  /// of them, in the order of objects and blocks; nil when none is left.
  ///
  /// One plan at a time: apply or cancel it before the next.
  package mutating func relocationPlan(
    before position: JournalPosition, limitByteCount: Int
  ) throws(StoreError) -> RelocationPlan? {
    try requireWritable()
    let limit = min(max(limitByteCount, 1), Int(VolumeState.segmentByteCount) / 2)
    let size = blockSize.byteCount
    var moves: [RelocationPlan.Move] = []
    var byteCount = 0
    var cache = ChunkVersionCache()
    while byteCount < limit, let resident = residents.takeNext(before: position) {
      var source = resident.position
      do throws(StoreError) {
        try resident.range.forEachChunk { (address, part) throws(StoreError) in
          let bits = try versions(of: address, &cache).reduce(into: 0) {
            $0 |= $1.chunk.blocksInJournal(part, at: source, blockByteCount: size)
          }
          for run in Self.runs(of: bits) {
            moves.append(
              RelocationPlan.Move(
                object: address.object,
                firstBlock: address.chunk.firstBlock.advanced(by: UInt64(run.lowerBound)),
                blockCount: run.count,
                from: source.advanced(byByteCount: (run.lowerBound - part.lowerBound) * size),
                targetOffset: 0))
            byteCount += run.count * size
          }
          source = source.advanced(byByteCount: part.count * size)
        }
      } catch {
        residents.cancelMoving()
        throw error
      }
    }
    guard byteCount > 0 else {
      residents.finishMoving()
      return nil
    }
    moves.sort { ($0.object, $0.firstBlock, $0.from) < ($1.object, $1.firstBlock, $1.from) }
    var targetOffset = 0
    for index in moves.indices {
      moves[index].targetOffset = targetOffset
      targetOffset += moves[index].blockCount * size
    }
    return RelocationPlan(
      volume: id, location: state.reserve(byteCount: UInt64(byteCount)), byteCount: byteCount,
      blockSize: blockSize, moves: moves)
  }

  /// Switches the blocks that still lie where the plan found them; the space of others is freed.
  ///
  /// Changes only the index, without a record: if a crash takes it, the blocks are still in the
  /// journal, which is trimmed only after the index was flushed.
  package mutating func applyRelocation(_ plan: RelocationPlan) throws(StoreError) {
    try requireWritable()
    let size = blockSize.byteCount
    var batch = IndexBatch()
    var freed = FreedRanges()
    var cache = ChunkVersionCache()
    for move in plan.moves {
      let address = ChunkAddress(object: move.object, chunk: move.firstBlock.chunk)
      let part = move.firstBlock.indexInChunk..<move.firstBlock.indexInChunk + move.blockCount
      let target = plan.location.advanced(byByteCount: move.targetOffset)
      if cache.address != address { cache.encodeChanges(to: &batch) }
      _ = try versions(of: address, &cache)
      let moved = cache.move(part, from: move.from, to: target, blockByteCount: size)
      let wanted = part.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
      for run in Self.runs(of: wanted & ~moved) {
        freed.insert(
          target.advanced(byByteCount: (run.lowerBound - part.lowerBound) * size),
          byteCount: UInt64(run.count * size))
      }
    }
    cache.encodeChanges(to: &batch)
    for range in freed.ranges {
      batch.put(keys.pendingFree(range.location), range.encodedByteCount)
    }
    var next = state
    next.consume(FreedRange(location: plan.location, byteCount: UInt64(plan.byteCount)))
    batch.put(keys.state, next.encoded())
    try index.write(batch)
    state = next
    freedByteCount += freed.byteCount
    residents.finishMoving()
  }

  /// Gives a plan up that could not be copied; its blocks come with a later plan.
  package mutating func cancelRelocation(_ plan: RelocationPlan) throws(StoreError) {
    residents.cancelMoving()
    try release(FreedRange(location: plan.location, byteCount: UInt64(plan.byteCount)))
  }

  /// Ranges that nothing refers to any more, at most `limit` of them.
  ///
  /// Take them before the index is flushed and punch them after it: the flushed index then does
  /// not refer to them either. A range may be given twice; to punch it again does no harm.
  package mutating func pendingFrees(limit: Int) throws(StoreError) -> [FreedRange] {
    var ranges: [FreedRange] = []
    var failure: StoreError?
    try index.scan(from: keys.lowerBound(.pendingFree), to: keys.upperBound(.pendingFree)) {
      key, value in
      do throws(StoreError) {
        ranges.append(
          try corrupt { () throws(Corruption) in try FreedRange.decode(key: key, value: value) })
        return ranges.count < limit
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    if ranges.count < limit { freedByteCount = 0 }
    return ranges
  }

  /// Forgets ranges whose space was given back to the host.
  package mutating func confirmFreed(_ ranges: [FreedRange]) throws(StoreError) {
    guard !ranges.isEmpty else { return }
    var batch = IndexBatch()
    for range in ranges { batch.delete(keys.pendingFree(range.location)) }
    try index.write(batch)
  }

  /// The runs of ones in 64 bits.
  private static func runs(of bits: UInt64) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var bits = bits
    var base = 0
    while bits != 0 {
      let start = bits.trailingZeroBitCount
      bits >>= UInt64(start)
      let count = (~bits).trailingZeroBitCount
      runs.append(base + start..<base + start + count)
      base += start + count
      bits = count == 64 ? 0 : bits >> UInt64(count)
    }
    return runs
  }
}
