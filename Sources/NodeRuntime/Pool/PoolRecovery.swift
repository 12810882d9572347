import BlockCrypto
import DiskFormat
import IOSeams
import PoolIO
import StorageEngine
import StorageModel

/// Brings a pool's volumes back: what the index made durable, and all that the journal holds
/// beyond it.
///
/// Two passes over the journal: what was deleted and synced is known before the first record is
/// applied. Recovery may itself be cut short at any point and done again.
struct PoolRecovery {
  private let pool: Pool
  private var engines: [VolumeID: Engine] = [:]
  /// Why a volume could not be brought back; the others go on.
  private(set) var failures: [VolumeID: NodeError] = [:]
  private(set) var journal: JournalRecovery?

  init(_ pool: Pool) { self.pool = pool }

  /// The volumes, open for writing.
  mutating func run() throws(NodeError) -> [Engine] {
    do throws(StoreError) {
      let survey = try surveyJournal()
      try survey.removeDropped(from: pool.index)
      for description in try VolumeCatalogue.descriptions(in: pool.index) { load(description) }
      try replayJournal(survey)
      try finish(survey)
    } catch {
      throw .store(error)
    }
    pool.hasLostVolumes = !failures.isEmpty
    return Array(engines.values)
  }

  private func surveyJournal() throws(StoreError) -> RecoverySurvey {
    var survey = RecoverySurvey()
    try pool.journal.survey { (identity, payload, extent, barrier) throws(StoreError) in
      try survey.observe(identity, payload: payload, extent: extent, barrier: barrier)
    }
    return survey
  }

  private mutating func load(_ description: ReplicaDescription) {
    let id = description.specification.id
    do throws(NodeError) {
      let sealer = try pool.sealer(for: description)
      do throws(StoreError) {
        engines[id] = try Engine.load(
          id, index: pool.index, journal: pool.journal, segments: pool.segments, sealer: sealer)
      } catch {
        throw .store(error)
      }
    } catch {
      failures[id] = error
    }
  }

  private mutating func replayJournal(_ survey: RecoverySurvey) throws(StoreError) {
    journal = try pool.journal.recover { (identity, payload, extent, barrier) throws(StoreError) in
      if survey.isDropped(identity, extent) || failures[identity.volume] != nil { return true }
      if engines[identity.volume] == nil { try recreate(identity, payload) }
      guard
        let outcome = try engines[identity.volume]?.replay(
          identity, payload: payload, extent: extent, barrier: barrier)
      else { return true }
      if case .stop = outcome { return false }
      return true
    }
  }

  /// A volume that the index does not know yet: its first record says what it is.
  private mutating func recreate(
    _ identity: RecordIdentity, _ payload: UnsafeRawBufferPointer
  ) throws(StoreError) {
    let first: RecordEntry?
    do throws(Corruption) {
      var reader = try RecordReader(payload)
      first = try reader.next()
    } catch {
      throw .corrupt(error)
    }
    guard case .created(let description) = first else {
      failures[identity.volume] = .store(
        .corrupt(
          Corruption(
            place: "journal, record \(identity.lsn) of volume \(identity.volume)",
            expected: "the volume's creation", found: "a later record")))
      return
    }
    do throws(NodeError) {
      engines[identity.volume] = Engine.recreate(
        description, index: pool.index, journal: pool.journal, segments: pool.segments,
        sealer: try pool.sealer(for: description))
    } catch {
      failures[identity.volume] = error
    }
  }

  /// Opens the volumes, and removes the segments of those that were deleted.
  private mutating func finish(_ survey: RecoverySurvey) throws(StoreError) {
    let end = pool.journal.end
    for id in engines.keys.sorted() {
      do throws(StoreError) {
        guard let epoch = engines[id]?.state.epoch else { continue }
        try engines[id]?.finishRecovery(journalEnd: end)
        try engines[id]?.open(epoch: epoch)
      } catch {
        failures[id] = .store(error)
        engines[id] = nil
      }
    }
    let orphans = try pool.segments.volumes().filter {
      engines[$0] == nil && failures[$0] == nil
    }
    guard !orphans.isEmpty || !survey.droppedVolumes.isEmpty else { return }
    try pool.journal.sync(through: pool.journal.end)
    try pool.index.beginFlush()
    try pool.index.waitFlushed()
    for id in orphans { try pool.segments.removeAll(volume: id) }
  }
}
