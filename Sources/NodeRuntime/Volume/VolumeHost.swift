import BlockCrypto
import DiskFormat
import IOSeams
import PoolIO
import StorageEngine
package import StorageModel
import Synchronization
import VFS

/// One volume on this node: its engine and file system behind one lock, for many threads.
///
/// The lock is held for the logic only; reads from segments, direct writes and syncs run outside.
package final class VolumeHost: Sendable {
  /// A step of the file system with its engine, under the volume's lock.
  typealias Change<Result> = (inout FileSystem, inout Engine) throws(FileSystemFailure) -> Result

  struct Core {
    var engine: Engine
    /// nil for block volumes.
    var files: FileSystem?
  }

  package let id: VolumeID
  let pool: Pool
  let blockSize: BlockSize
  let sealer: VolumeSealer
  let housekeeper: Housekeeper
  package let counters = VolumeCounters()
  private let core: Mutex<Core>
  private let isSynchronous = Atomic(false)
  private let log: @Sendable (VolumeID, StoreError, StaticString) -> Void

  /// How often a change is tried when the journal or the disk is full: space may come back.
  static let attemptLimit = 3

  init(
    engine: consuming sending Engine, pool: Pool, housekeeper: Housekeeper,
    log: @escaping @Sendable (VolumeID, StoreError, StaticString) -> Void
  ) throws(NodeError) {
    var engine = engine
    id = engine.id
    blockSize = engine.blockSize
    sealer = engine.sealer
    self.pool = pool
    self.housekeeper = housekeeper
    self.log = log
    do throws(FileSystemFailure) {
      var files: FileSystem?
      if engine.description.specification.content == .fileSystem {
        try FileSystem.format(&engine, now: .now())
        files = try FileSystem(loading: engine, orphans: .untilForget)
      }
      core = Mutex(Core(engine: engine, files: files))
    } catch {
      switch error {
      case .store(let error): throw .store(error)
      case .posix(let error): throw .invalid("the file system cannot be opened: \(error)")
      }
    }
  }

  // MARK: Facts

  package var specification: VolumeSpecification {
    core.withLock { $0.engine.description.specification }
  }

  var createdAt: Timestamp {
    Timestamp(
      seconds: core.withLock { $0.engine.description.createdSeconds }, nanoseconds: 0)
  }

  var usedBytes: UInt64 {
    core.withLock { $0.engine.usedBlocks << UInt64($0.engine.blockSize.shift) }
  }

  package var status: VolumeStatus {
    core.withLock { core in
      let engine = core.engine
      return VolumeStatus(
        specification: engine.description.specification, epoch: engine.state.epoch,
        lastLSN: engine.state.lastLSN,
        usedBytes: engine.usedBlocks << UInt64(engine.blockSize.shift),
        fileSystem: core.files?.statistics(engine), fileCount: core.files?.counters.files ?? 0,
        directoryCount: core.files?.counters.directories ?? 0,
        corruptBlocks: engine.corruptBlocks.map(\.description),
        readOnlyReason: engine.readOnlyReason ?? pool.journal.failureReason, mounts: [],
        lastSync: counters.lastSync,
        createdAt: Timestamp(seconds: engine.description.createdSeconds, nanoseconds: 0))
    }
  }

  /// Tells the log of an error that the caller's errno does not explain.
  func report(_ error: StoreError, during operation: StaticString) {
    switch error {
    case .noSpace, .invalid: break
    case .corrupt, .io, .readOnly, .poolFull: log(id, error, operation)
    }
  }

  /// What statfs(2) tells; zeros for a block volume.
  var fileSystemStatistics: FileSystemStatistics {
    core.withLock { $0.files?.statistics($0.engine) }
      ?? FileSystemStatistics(
        blockByteCount: UInt32(blockSize.byteCount), totalBlocks: 0, freeBlocks: 0,
        totalInodes: 0, freeInodes: 0, maximumNameByteCount: 255)
  }

  /// The mount option sync: every change is durable before it is answered.
  var syncsEveryChange: Bool {
    get { isSynchronous.load(ordering: .relaxed) }
    set { isSynchronous.store(newValue, ordering: .relaxed) }
  }

  /// Gives the root directory to a group, with set-group-ID, so that what is made below it
  /// belongs to the group too.
  func giveRoot(to groupID: UInt32) throws(NodeError) {
    var changes = AttributeChanges()
    changes.groupID = groupID
    let caller = Caller(userID: 0, groupID: 0, processID: 0, umask: 0)
    do throws(FileSystemFailure) {
      try change { files, engine throws(FileSystemFailure) in
        let root = try files.attributes(of: .root, store: engine)
        let wanted = root.permissions | 0o2070
        guard root.groupID != groupID || root.permissions != wanted else { return }
        changes.permissions = wanted
        _ = try files.setAttributes(
          of: .root, changes, store: &engine, for: FileRequest(caller: caller, now: .now()))
      }
    } catch {
      throw .host("cannot give the volume's root to group \(groupID): \(error)")
    }
  }

  // MARK: Under the lock

  func withEngine<Result: Sendable, Failure: Error>(
    _ body: (inout Engine) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try core.withLock { core throws(Failure) in try body(&core.engine) }
  }

  /// As `withEngine`, for what writes to the index or the journal.
  func withEngineCommitting<Result: Sendable>(
    _ body: (inout Engine) throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    try pool.gate.withCommit { () throws(StoreError) in
      try withEngine(body)
    }
  }

  /// A look at the file system that changes nothing on disk.
  func look<Result: Sendable>(
    _ body: (inout FileSystem, Engine) throws(FileSystemFailure) -> Result
  ) throws(FileSystemFailure) -> Result {
    try core.withLock { core throws(FileSystemFailure) in
      guard core.files != nil else { throw .posix(.notSupported) }
      return try Self.look(&core, body)
    }
  }

  private static func look<Result>(
    _ core: inout Core, _ body: (inout FileSystem, Engine) throws(FileSystemFailure) -> Result
  ) throws(FileSystemFailure) -> Result {
    guard var files = core.files.take() else { throw .posix(.notSupported) }
    defer { core.files = files }
    return try body(&files, core.engine)
  }

  /// A change of the file system: one record, visible to all when this returns.
  ///
  /// When the journal or the disk is full it lets go of everything, waits for a checkpoint, and
  /// tries again; when the volume is full, it first frees what removed files still hold.
  func change<Result: Sendable>(
    _ body: Change<Result>
  ) throws(FileSystemFailure) -> Result {
    var attempt = 1
    while true {
      do throws(FileSystemFailure) {
        let result = try changeOnce(body)
        housekeeper.committed()
        if syncsEveryChange { try syncFiles() }
        return result
      } catch {
        guard attempt < Self.attemptLimit, makesRoom(after: error) else { throw error }
        attempt += 1
      }
    }
  }

  private func changeOnce<Result: Sendable>(
    _ body: Change<Result>
  ) throws(FileSystemFailure) -> Result {
    var outcome: Swift.Result<Result, FileSystemFailure>?
    do throws(StoreError) {
      try pool.gate.withCommit { () throws(StoreError) in
        outcome = core.withLock { core in
          do throws(FileSystemFailure) {
            guard var files = core.files.take() else { throw .posix(.notSupported) }
            defer { core.files = files }
            return .success(try body(&files, &core.engine))
          } catch {
            return .failure(error)
          }
        }
      }
    } catch {
      throw .store(error)
    }
    guard let outcome else { throw .posix(.inputOutput) }
    return try outcome.get()
  }

  /// Whether it is worth trying again after this error.
  func makesRoom(after failure: FileSystemFailure) -> Bool {
    switch failure {
    case .store(.poolFull):
      do throws(StoreError) {
        try housekeeper.checkpoint()
        return true
      } catch {
        report(error, during: "checkpoint")
        return false
      }
    case .store(.noSpace), .posix(.noSpace):
      do throws(StoreError) {
        guard hasReclaimableSpace else { return false }
        while try reclaimStep() {}
        return true
      } catch {
        return false
      }
    case .store, .posix: return false
    }
  }

  // MARK: Space and time

  /// Whether files without a name wait for the kernel to forget them.
  var hasOrphans: Bool { core.withLock { $0.files?.hasOrphans ?? false } }

  private var hasReclaimableSpace: Bool {
    core.withLock { $0.files?.hasReclaimableSpace ?? false }
  }

  /// Has the blocks of large removed files freed in the background.
  func reclaimSoon() {
    if hasReclaimableSpace { housekeeper.wantsReclaim() }
  }

  /// Frees a bounded part of what removed files hold; false when nothing is left.
  func reclaimStep() throws(StoreError) -> Bool {
    guard hasReclaimableSpace else { return false }
    do throws(FileSystemFailure) {
      return try changeOnce { files, engine throws(FileSystemFailure) in
        try files.reclaim(&engine)
      }
    } catch {
      if case .store(let error) = error { throw error }
      return false
    }
  }

  /// Ends all that a mount kept alive, when it is gone or a new one begins: its open files
  /// without a name.
  func mountEnded() {
    do throws(FileSystemFailure) {
      try look { files, engine throws(FileSystemFailure) in
        try files.abandonOrphans(store: engine, then: .untilForget)
      }
      housekeeper.wantsReclaim()
    } catch {
      if case .store(let error) = error { report(error, during: "unmount") }
    }
  }

  /// Returns when every change that was answered before is on stable storage.
  func sync() throws(StoreError) {
    let start = monotonicNanoseconds()
    try pool.journal.sync(through: pool.journal.end)
    counters.synced(at: .now(), since: start)
  }

  func syncFiles() throws(FileSystemFailure) {
    do throws(StoreError) { try sync() } catch { throw .store(error) }
  }
}
