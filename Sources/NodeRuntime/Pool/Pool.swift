import BlockCrypto
import DiskFormat
import PoolIO
import StorageEngine
import StorageModel
import Synchronization

/// The engine of one volume on the real seams.
typealias Engine = VolumeEngine<RocksIndex, FileJournal, FileSegments, VolumeSealer>

/// How a pool is run.
package struct PoolConfiguration: Hashable, Sendable {
  package var journalByteCount: Int
  package var checkpointInterval: Duration

  package init(
    journalByteCount: Int = JournalConfiguration.standardBudgetByteCount,
    checkpointInterval: Duration = .seconds(300)
  ) {
    self.journalByteCount = journalByteCount
    self.checkpointInterval = checkpointInterval
  }
}

/// One open pool: its directory, journal, index and segments, and the key that wraps its volumes'
/// keys. Volumes are added by recovery and by `Node`.
final class Pool: Sendable {
  let directory: PoolDirectory
  let segments: FileSegments
  let index: RocksIndex
  let journal: FileJournal
  let masterKey: MasterKey
  /// Commits hold it shared; the checkpoint's cut holds it alone.
  let gate = CommitGate()
  let policy: CheckpointPolicy
  private let lostVolumes = Atomic(false)

  /// Index bytes in memory at which a checkpoint is due, whatever the journal holds.
  static let indexByteCount = 32 << 20

  /// Opens the pool at `path` (made if there is none). Call `recover` before anything else.
  init(path: String, configuration: PoolConfiguration) throws(NodeError) {
    var generator = SystemRandomNumberGenerator()
    do throws(StoreError) {
      directory = try PoolDirectory.open(
        path: path, newID: PoolID(UUIDValue(randomFrom: &generator)))
      segments = try FileSegments(directory: directory.segmentsPath)
      index = try RocksIndex(directory: directory.indexPath)
      journal = try FileJournal(
        directory: directory.journalPath, pool: directory.id,
        configuration: Self.journalConfiguration(configuration, space: try segments.space()),
        segments: segments, checksum: { xxh3($0) })
    } catch {
      throw .store(error)
    }
    do throws(KeyError) {
      masterKey = try KeyFile.openOrCreate(path: "\(directory.keysPath)/master.key")
    } catch {
      throw .host("\(error)")
    }
    policy = CheckpointPolicy(
      journalCapacityByteCount: UInt64(journal.capacityByteCount),
      interval: configuration.checkpointInterval)
  }

  /// Whether a volume could not be recovered: then the journal is kept as it is, since it may hold
  /// what brings the volume back once the cause (a missing key, say) is gone.
  var hasLostVolumes: Bool {
    get { lostVolumes.load(ordering: .relaxed) }
    set { lostVolumes.store(newValue, ordering: .relaxed) }
  }

  /// The journal that is asked for, or less on a small file system: journal and index must never
  /// be what fills it.
  private static func journalConfiguration(
    _ configuration: PoolConfiguration, space: PoolSpace
  ) -> JournalConfiguration {
    let budget = min(configuration.journalByteCount, Int(clamping: space.totalBytes / 8))
    let segment = JournalConfiguration.standardSegmentByteCount
    if budget >= 4 * segment { return JournalConfiguration(budgetByteCount: budget) }
    return JournalConfiguration(
      budgetByteCount: max(budget, 4 * smallSegmentByteCount),
      segmentByteCount: smallSegmentByteCount)
  }

  /// Holds the largest record.
  private static let smallSegmentByteCount = 2 << 20

  /// The sealer of a volume, its data key unwrapped.
  func sealer(for description: ReplicaDescription) throws(NodeError) -> VolumeSealer {
    let id = description.specification.id
    switch description.specification.encryption {
    case .none: return VolumeSealer(plain: id)
    case .aes256GCM:
      do throws(KeyError) {
        let key = try masterKey.unwrap(description.wrappedKey, of: id)
        return try VolumeSealer(encrypted: id, dataKey: key)
      } catch {
        throw .host("\(error)")
      }
    }
  }

  /// Describes a new replica, with a data key of its own if it is encrypted.
  func describe(_ specification: VolumeSpecification) throws(NodeError) -> ReplicaDescription {
    var wrappedKey: [UInt8] = []
    if specification.encryption == .aes256GCM {
      do throws(KeyError) {
        wrappedKey = try masterKey.wrap(
          try masterKey.makeDataKey(), of: specification.id)
      } catch {
        throw .host("\(error)")
      }
    }
    return ReplicaDescription(
      specification: specification, wrappedKey: wrappedKey,
      createdSeconds: Timestamp.now().seconds)
  }

  /// Makes a new volume, durable on return and open for writing.
  func create(_ description: ReplicaDescription) throws(NodeError) -> Engine {
    let sealer = try sealer(for: description)
    do throws(StoreError) {
      return try gate.withCommit { () throws(StoreError) in
        try Engine.create(
          description, index: index, journal: journal, segments: segments, sealer: sealer)
      }
    } catch {
      throw .store(error)
    }
  }

  /// Stops the pool's threads and closes its files. Volumes must be at rest.
  func close() {
    journal.close()
    index.close()
    directory.close()
  }
}
