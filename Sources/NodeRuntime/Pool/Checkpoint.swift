import DiskFormat
import LinuxHost
import PoolIO
import StorageEngine
import StorageModel

/// One checkpoint of a pool: data moves from the journal to segments, the index becomes durable,
/// the journal is trimmed, freed space goes back to the host.
///
/// Order is what makes it safe: copies are synced before the index refers to them, the journal
/// before the index is flushed, the flush ends before the trim and before the first hole.
struct Checkpoint {
  let pool: Pool
  let volumes: [VolumeHost]

  /// Bytes moved under one plan, and so between two holds of a volume's lock.
  static let relocationByteCount = 4 << 20
  /// Freed ranges punched for one volume in one checkpoint.
  static let freedRangeCount = 65536
  private static let scratchByteCount = 1 << 20
  /// Room for what RocksDB writes beside the memtable: its manifest and small merges.
  private static let indexReserveByteCount: UInt64 = 16 << 20
  private static let punchBatchCount = 512
  private static let punchTime = Duration.seconds(2)

  func run() throws(StoreError) {
    let cut = pool.journal.end
    for volume in volumes { try relocate(volume, before: cut) }
    var freed: [(volume: VolumeHost, ranges: [FreedRange])] = []
    for volume in volumes {
      let ranges = try volume.withEngine { engine throws(StoreError) in
        try engine.pendingFrees(limit: Self.freedRangeCount)
      }
      if !ranges.isEmpty { freed.append((volume, ranges)) }
    }
    try requireRoomForIndex()
    // Most is synced before commits are held, so that they are held for little.
    try pool.journal.sync(through: pool.journal.end)
    try pool.gate.withCommitsHeld { () throws(StoreError) in
      try pool.journal.sync(through: pool.journal.end)
      try pool.index.beginFlush()
    }
    try pool.index.waitFlushed()
    let floor = volumes.compactMap { $0.withEngine { $0.journalFloor } }.min() ?? cut
    // The records of a volume that could not be recovered may be all that there is of it.
    if !pool.hasLostVolumes { try pool.journal.trim(before: min(cut, floor)) }
    let deadline = ContinuousClock.now + Self.punchTime
    for (volume, ranges) in freed { try punch(ranges, of: volume, until: deadline) }
  }

  /// A flush that meets a full disk would stop the index for good; without it the journal waits,
  /// and only writers that need more of it are refused.
  private func requireRoomForIndex() throws(StoreError) {
    let needed = UInt64(pool.index.memtableByteCount) * 2 + Self.indexReserveByteCount
    guard let space = try? HostFiles.space(at: pool.directory.path) else {
      // What cannot be measured fails by itself, if it must.
      return
    }
    guard space.availableBytes >= needed else { throw .poolFull }
  }

  private func relocate(
    _ volume: VolumeHost, before cut: JournalPosition
  ) throws(StoreError) {
    let scratch = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Self.scratchByteCount, alignment: 4096)
    defer { scratch.deallocate() }
    while let plan = try volume.withEngineCommitting({ engine throws(StoreError) in
      engine.readOnlyReason == nil
        ? try engine.relocationPlan(before: cut, limitByteCount: Self.relocationByteCount) : nil
    }) {
      do throws(StoreError) {
        try plan.copy(journal: pool.journal, segments: pool.segments, scratch: scratch)
        try pool.journal.sync(through: pool.journal.end)
      } catch {
        try volume.withEngineCommitting { engine throws(StoreError) in
          try engine.cancelRelocation(plan)
        }
        // A full disk must not keep what can be freed from being freed.
        if error == .poolFull { return }
        throw error
      }
      try volume.withEngineCommitting { engine throws(StoreError) in
        try engine.applyRelocation(plan)
      }
    }
  }

  /// Gives space back, batch by batch, for as long as `punchTime`: holes are slow on some hosts,
  /// and writers must not wait for them. What is left stays noted for the next checkpoint.
  private func punch(
    _ ranges: [FreedRange], of volume: VolumeHost, until deadline: ContinuousClock.Instant
  ) throws(StoreError) {
    var rest = ranges[...]
    while !rest.isEmpty, ContinuousClock.now < deadline {
      let batch = Array(rest.prefix(Self.punchBatchCount))
      rest = rest.dropFirst(Self.punchBatchCount)
      try pool.segments.free(batch, of: volume.id)
      try volume.withEngineCommitting { engine throws(StoreError) in
        guard engine.readOnlyReason == nil else { return }
        try engine.confirmFreed(batch)
      }
    }
  }
}
