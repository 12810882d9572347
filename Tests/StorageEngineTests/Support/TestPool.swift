import DiskFormat
import IOSeams
import StorageEngine
import StorageModel

typealias TestEngine = VolumeEngine<MemoryIndex, MemoryJournal, MemorySegments, TestSealer>

/// A pool in memory with one volume, driven as the runtime drives it.
struct TestPool {
  let ledger = NonceLedger()
  let segments: MemorySegments
  let journal: MemoryJournal
  let index: MemoryIndex
  let sealer: TestSealer
  let description: ReplicaDescription
  var engine: TestEngine

  static let volume = VolumeID(UUIDValue(high: 0x1111_2222_3333_4444, low: 0x8555_6666_7777_8888))

  init(
    encrypts: Bool = false, blockByteCount: Int = 4096, capacityBlocks: UInt64 = 4096
  ) throws {
    let blockSize = BlockSize(byteCount: blockByteCount) ?? .standard
    segments = MemorySegments(ledger: ledger)
    journal = MemoryJournal(segments: segments, ledger: ledger)
    index = MemoryIndex(journal: journal)
    sealer = TestSealer(encrypts: encrypts, ledger: ledger)
    description = ReplicaDescription(
      specification: VolumeSpecification(
        id: Self.volume, name: "data", capacityBytes: capacityBlocks * UInt64(blockByteCount),
        blockSize: blockSize, type: .persistent, content: .fileSystem,
        encryption: encrypts ? .aes256GCM : .none, replicaCount: 1, storageClassName: "local",
        strategy: .synchronous, writeConcern: .durable),
      wrappedKey: [1, 2, 3], createdSeconds: 1_700_000_000)
    engine = try TestEngine.create(
      description, index: index, journal: journal, segments: segments, sealer: sealer)
  }

  var blockByteCount: Int { engine.blockSize.byteCount }

  /// A commit like any, with the ledger told which seals stayed in memory.
  @discardableResult
  mutating func commit(_ mutations: [Mutation]) throws -> CommitReceipt {
    do { return try engine.commit(Transaction(mutations)) } catch {
      ledger.forgetSeals()
      throw error
    }
  }

  @discardableResult
  mutating func write(
    _ object: UInt64, _ offsetBytes: UInt64, _ bytes: [UInt8]
  ) throws -> CommitReceipt {
    try bytes.withUnsafeBytes { bytes in
      try commit([
        .write(object: ObjectNumber(object), offsetBytes: offsetBytes, bytes: bytes)
      ])
    }
  }

  /// Reserves space and writes whole blocks into it.
  mutating func prepare(
    _ object: UInt64, _ firstBlock: UInt64, _ bytes: [UInt8]
  ) throws -> (Reservation, PreparedExtent) {
    let reservation = try engine.reserve(blockCount: bytes.count / blockByteCount)
    var scratch = [UInt8](repeating: 0, count: 2 * blockByteCount)
    let extent = try bytes.withUnsafeBytes { bytes in
      try scratch.withUnsafeMutableBytes { scratch in
        try DirectWrite.write(
          bytes, object: ObjectNumber(object), firstBlock: BlockNumber(firstBlock),
          to: reservation, segments: segments, sealer: sealer, scratch: scratch)
      }
    }
    return (reservation, extent)
  }

  @discardableResult
  mutating func writeDirectly(
    _ object: UInt64, _ firstBlock: UInt64, _ bytes: [UInt8]
  ) throws -> CommitReceipt {
    let (_, extent) = try prepare(object, firstBlock, bytes)
    return try commit([
      .map(object: ObjectNumber(object), firstBlock: BlockNumber(firstBlock), extent: extent)
    ])
  }

  func read(_ object: UInt64, _ offsetBytes: UInt64, _ count: Int) throws -> [UInt8] {
    let plan = try engine.resolve(
      ObjectNumber(object), offsetBytes: offsetBytes, byteCount: count)
    var bytes = [UInt8](repeating: 0xAA, count: count)
    try bytes.withUnsafeMutableBytes {
      try plan.execute(into: $0, journal: journal, segments: segments, sealer: sealer)
    }
    return bytes
  }

  /// Empties the journal before the end that it has now. `steps` breaks it off early.
  mutating func checkpoint(steps: Int = .max, limitByteCount: Int = 64 << 10) throws {
    var left = steps
    func goesOn() -> Bool {
      left -= 1
      return left >= 0
    }
    let target = journal.end
    var scratch = [UInt8](repeating: 0, count: 3 * blockByteCount)
    while let plan = try engine.relocationPlan(
      before: target, limitByteCount: limitByteCount)
    {
      guard goesOn() else { return try engine.cancelRelocation(plan) }
      try scratch.withUnsafeMutableBytes {
        try plan.copy(journal: journal, segments: segments, scratch: $0)
      }
      guard goesOn() else { return try engine.cancelRelocation(plan) }
      try journal.sync(through: journal.end)
      try engine.applyRelocation(plan)
    }
    guard goesOn() else { return }
    let frees = try engine.pendingFrees(limit: .max)
    try journal.sync(through: journal.end)
    index.flush()
    guard goesOn() else { return }
    journal.trim(before: target)
    for range in frees {
      guard goesOn() else { return }
      try segments.free(volume: Self.volume, at: range.location, byteCount: range.byteCount)
    }
    try engine.confirmFreed(frees)
  }

  /// What a power cut or a kill leaves: a random part of what was not synced.
  func crash(losesPower: Bool, using generator: inout some RandomNumberGenerator) {
    // The index never flushes a batch whose record is not synced (`IndexStore`).
    let indexEnd = losesPower ? journal.synced : journal.end
    if losesPower {
      let synced = journal.synced
      let unsynced = journal.records.filter { $0.extent.end > synced }
      let kept = Int.random(in: 0...unsynced.count, using: &generator)
      if kept < unsynced.count { journal.cut(at: unsynced[kept].start) }
      segments.crash(using: &generator)
    }
    index.crash(journalEnd: indexEnd, using: &generator)
  }

  /// What the runtime does at its start.
  mutating func recover() throws {
    var survey = RecoverySurvey()
    let records = journal.records
    for record in records {
      try record.payload.withUnsafeBytes {
        try survey.observe(
          record.identity, payload: $0, extent: record.extent, barrier: record.barrier)
      }
    }
    try survey.removeDropped(from: index)
    var recovered = try TestEngine.load(
      Self.volume, index: index, journal: journal, segments: segments, sealer: sealer)
    for record in records where !survey.isDropped(record.identity, record.extent) {
      var current: TestEngine
      if let recovered {
        current = recovered
      } else {
        let created = try record.payload.withUnsafeBytes { try RecordPayload.created($0) }
        guard let created else { continue }
        current = TestEngine.recreate(
          created, index: index, journal: journal, segments: segments, sealer: sealer)
      }
      let outcome = try record.payload.withUnsafeBytes {
        try current.replay(
          record.identity, payload: $0, extent: record.extent, barrier: survey.barrier)
      }
      recovered = current
      if case .stop = outcome {
        journal.cut(at: record.start)
        break
      }
    }
    guard var recovered else { throw TestFailure.noVolume }
    try recovered.finishRecovery(journalEnd: journal.end)
    try recovered.open(epoch: .first)
    engine = recovered
  }

  enum TestFailure: Error { case noVolume }
}
