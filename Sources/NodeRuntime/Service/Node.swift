import DiskFormat
import LinuxHost
package import Logging
import PoolIO
import StorageEngine
package import StorageModel
import Synchronization

/// What a node needs to run.
package struct NodeConfiguration: Hashable, Sendable {
  /// Holds `pool/`, `mounts/` and what other parts of the daemon keep.
  package var storagePath: String
  package var pool: PoolConfiguration
  /// Socket of the mount keeper; nil: mounts end with the daemon.
  package var keeperSocketPath: String?

  package init(
    storagePath: String, pool: PoolConfiguration = PoolConfiguration(),
    keeperSocketPath: String? = nil
  ) {
    self.storagePath = storagePath
    self.pool = pool
    self.keeperSocketPath = keeperSocketPath
  }
}

/// One node: its pool, the volumes in it, and their mounts.
package final class Node: NodeServices {
  private let pool: Pool
  let housekeeper: Housekeeper
  private let hosts: VolumeRegistry
  let mountTable: VolumeMounts
  let threads = BlockingThreads(maximumThreadCount: 16)
  private let logger: Logger
  private let listeners = Mutex<[Int: AsyncStream<VolumeEvent>.Continuation]>([:])
  private let listenerCount = Atomic<Int>(0)

  /// Events that a slow listener may fall behind by; then the oldest are dropped.
  private static let eventLimit = 4096

  /// Opens the pool, recovers its volumes, and brings their mounts back. Blocks.
  package init(_ configuration: NodeConfiguration, logger: Logger) throws(NodeError) {
    self.logger = logger
    do throws(HostError) {
      try HostFiles.makeDirectory(configuration.storagePath)
    } catch {
      throw .host("\(error)")
    }
    pool = try Pool(path: "\(configuration.storagePath)/pool", configuration: configuration.pool)
    let hosts = VolumeRegistry()
    self.hosts = hosts
    housekeeper = Housekeeper(
      pool: pool, volumes: { hosts.all },
      log: { logger.error("checkpoint failed", metadata: ["error": "\($0)"]) })
    mountTable = try VolumeMounts(
      directory: "\(configuration.storagePath)/mounts",
      keeper: configuration.keeperSocketPath.map { MountKeeperClient(socketPath: $0) })
    try recover()
    try housekeeper.start()
    restoreMounts()
  }

  private func recover() throws(NodeError) {
    var recovery = PoolRecovery(pool)
    for engine in try recovery.run() { try host(engine) }
    for (id, error) in recovery.failures {
      logger.error(
        "a volume could not be recovered", metadata: ["volume": "\(id)", "error": "\(error)"])
    }
    logger.info(
      "pool recovered",
      metadata: [
        "volumes": "\(hosts.all.count)", "records": "\(recovery.journal?.recordCount ?? 0)",
        "stopped": "\(recovery.journal?.stoppedAt?.description ?? "at the journal's end")",
      ])
  }

  @discardableResult
  private func host(_ engine: consuming sending Engine) throws(NodeError) -> VolumeHost {
    let logger = logger
    let host = try VolumeHost(engine: engine, pool: pool, housekeeper: housekeeper) {
      id, error, operation in
      logger.error(
        "storage error",
        metadata: ["volume": "\(id)", "operation": "\(operation)", "error": "\(error)"])
    }
    hosts.add(host)
    return host
  }

  private func restoreMounts() {
    for host in hosts.all {
      do throws(NodeError) {
        try mountTable.restore(host)
      } catch {
        logger.error(
          "mounts could not be restored",
          metadata: ["volume": "\(host.id)", "error": "\(error)"])
      }
    }
  }

  /// The host of a volume, for the engine's own interface.
  package func volume(_ id: VolumeID) throws(NodeError) -> VolumeHost {
    guard let host = hosts[id] else { throw .volumeNotFound(id) }
    return host
  }

  /// Ends the node's work. With a keeper and `leavingMounts`, applications only wait for the next
  /// daemon; otherwise everything is unmounted, lazily where files are open.
  package func shutdown(leavingMounts: Bool) async {
    await threads.run { [self] in
      if leavingMounts, mountTable.hasKeeper {
        mountTable.handOver()
      } else {
        unmountEverything()
      }
      housekeeper.stop()
      pool.close()
    }
    for listener in listeners.withLock({ Array($0.values) }) { listener.finish() }
  }

  private func unmountEverything() {
    for host in hosts.all {
      do throws(NodeError) {
        try mountTable.writeBack(host.id)
      } catch {
        // A full volume, say: its writers were told, and unmounting goes on.
        logger.error(
          "not all that the kernel cached could be written",
          metadata: ["volume": "\(host.id)", "error": "\(error)"])
      }
      do throws(NodeError) {
        do throws(NodeError) {
          try mountTable.unmountAll(of: host.id, lazily: false)
        } catch {
          logger.warning(
            "unmounting lazily", metadata: ["volume": "\(host.id)", "reason": "\(error)"])
          try mountTable.unmountAll(of: host.id, lazily: true)
        }
      } catch {
        logger.error(
          "cannot unmount", metadata: ["volume": "\(host.id)", "error": "\(error)"])
      }
    }
  }

  // MARK: Replicas

  package func createReplica(_ specification: VolumeSpecification) async throws(NodeError) {
    let isNew = try await threads.run { [self] () throws(NodeError) -> Bool in
      try hosts.alone(with: specification.id) { () throws(NodeError) in
        if let existing = hosts[specification.id] {
          guard existing.specification == specification else {
            throw .volumeExists(
              specification.id,
              difference: Self.difference(existing.specification, specification))
          }
          return false
        }
        let space = try poolSpace()
        guard specification.capacityBytes <= space.totalBytes else {
          throw .poolTooSmall(
            neededBytes: specification.capacityBytes, availableBytes: space.totalBytes)
        }
        try host(try pool.create(try pool.describe(specification)))
        return true
      }
    }
    if isNew { publish(.added(specification)) }
  }

  private static func difference(
    _ existing: VolumeSpecification, _ wanted: VolumeSpecification
  ) -> String {
    if existing.capacityBytes != wanted.capacityBytes {
      return "it has \(existing.capacityBytes) bytes, not \(wanted.capacityBytes)"
    }
    if existing.name != wanted.name { return "its name is \(existing.name)" }
    return "its class is \(existing.storageClassName) and its settings differ"
  }

  package func deleteReplica(_ id: VolumeID) async throws(NodeError) {
    let removed = try await threads.run { [self] () throws(NodeError) -> VolumeSpecification? in
      try hosts.alone(with: id) { () throws(NodeError) in
        guard let host = hosts[id] else { return nil }
        let paths = try mountTable.records(of: id).map(\.path)
        guard paths.isEmpty else { throw .volumeInUse(id, paths: paths) }
        try mountTable.unmountAll(of: id, lazily: false)
        let specification = host.specification
        do throws(StoreError) {
          try host.withEngineCommitting { engine throws(StoreError) in try engine.drop() }
          hosts.remove(id)
          // Until the index is flushed, a crash brings records back that look at the segments.
          try housekeeper.checkpoint()
          try pool.segments.removeAll(volume: id)
        } catch {
          throw .store(error)
        }
        return specification
      }
    }
    if let removed { publish(.removed(removed)) }
  }

  package func expandReplica(
    _ id: VolumeID, toBytes capacityBytes: UInt64
  ) async throws(NodeError) {
    try await threads.run { [self] () throws(NodeError) in
      let host = try volume(id)
      let current = host.specification.capacityBytes
      guard capacityBytes >= current else {
        throw .cannotShrink(currentBytes: current, requestedBytes: capacityBytes)
      }
      let space = try poolSpace()
      guard capacityBytes <= space.totalBytes else {
        throw .poolTooSmall(neededBytes: capacityBytes, availableBytes: space.totalBytes)
      }
      if capacityBytes > current {
        do throws(StoreError) {
          let receipt = try host.withEngineCommitting { engine throws(StoreError) in
            try engine.expand(toBytes: capacityBytes)
          }
          try pool.journal.sync(through: receipt.end)
        } catch {
          throw .store(error)
        }
      }
      try mountTable.grow(id)
    }
  }

  package func volumes() async -> [VolumeStatus] {
    await threads.run { [self] in
      hosts.all.map { host in
        // A status without its mounts says more than none.
        (try? status(host)) ?? host.status
      }.sorted { $0.specification.name < $1.specification.name }
    }
  }

  package func status(of id: VolumeID) async throws(NodeError) -> VolumeStatus {
    try await threads.run { [self] () throws(NodeError) in try status(volume(id)) }
  }

  private func status(_ host: VolumeHost) throws(NodeError) -> VolumeStatus {
    var status = host.status
    status.mounts = try mountTable.records(of: host.id)
    return status
  }

  package func poolStatus() async throws(NodeError) -> PoolStatus {
    try await threads.run { [self] () throws(NodeError) in
      let space = try poolSpace()
      let provisioned = hosts.all.reduce(UInt64(0)) {
        $0.addingReportingOverflow($1.specification.capacityBytes).partialValue
      }
      return PoolStatus(
        id: pool.directory.id, path: pool.directory.path, totalBytes: space.totalBytes,
        availableBytes: space.availableBytes, provisionedBytes: provisioned,
        journalBytes: UInt64(pool.journal.usedByteCount),
        readOnlyReason: pool.journal.failureReason)
    }
  }

  private func poolSpace() throws(NodeError) -> (totalBytes: UInt64, availableBytes: UInt64) {
    do throws(StoreError) {
      try pool.directory.checkPresence()
      let space = try pool.segments.space()
      return (space.totalBytes, space.availableBytes)
    } catch {
      throw .store(error)
    }
  }

  // MARK: Mounts

  package func mount(
    _ id: VolumeID, _ request: MountRequest
  ) async throws(NodeError) -> MountRecord {
    try await threads.run { [self] () throws(NodeError) in
      try mountTable.mount(volume(id), request)
    }
  }

  package func unmount(path: String, lazily: Bool) async throws(NodeError) {
    try await threads.run { [self] () throws(NodeError) in
      let canonical: String
      do throws(HostError) {
        canonical = try HostFiles.canonical(path)
      } catch {
        // A path whose parent does not exist has nothing mounted on it.
        return
      }
      for host in hosts.all {
        if try mountTable.unmount(path: canonical, of: host.id, lazily: lazily) { return }
      }
    }
  }

  package func mounts() async -> [MountRecord] {
    await threads.run { [self] in
      // A volume whose mounts cannot be read now is left out; its status says more.
      hosts.all.flatMap { (try? mountTable.records(of: $0.id)) ?? [] }
    }
  }

  package func sync(_ id: VolumeID?) async throws(NodeError) {
    try await threads.run { [self] () throws(NodeError) in
      for host in try id.map({ id throws(NodeError) in [try volume(id)] }) ?? hosts.all {
        try mountTable.writeBack(host.id)
        do throws(StoreError) { try host.sync() } catch { throw .store(error) }
      }
    }
  }

  // MARK: Events

  package func volumeEvents() -> AsyncStream<VolumeEvent> {
    let key = listenerCount.add(1, ordering: .relaxed).newValue
    return AsyncStream(bufferingPolicy: .bufferingNewest(Self.eventLimit)) { continuation in
      listeners.withLock { $0[key] = continuation }
      continuation.onTermination = { [weak self] _ in
        self?.listeners.withLock { $0[key] = nil }
      }
    }
  }

  private func publish(_ event: VolumeEvent) {
    for listener in listeners.withLock({ Array($0.values) }) { listener.yield(event) }
  }
}
