import ClusterControl
import ControlAPI
import DaemonConfiguration
import NodeRuntime
import StorageModel
import Synchronization

/// A node in memory: replicas are entries, mounts are records.
final class FakeNode: NodeServices {
  struct State {
    var volumes: [VolumeID: VolumeStatus] = [:]
    var failure: NodeError?
  }

  let state = Mutex(State())

  func createReplica(_ specification: VolumeSpecification) async throws(NodeError) {
    try failIfTold()
    state.withLock {
      $0.volumes[specification.id] = VolumeStatus(
        specification: specification, epoch: .first, lastLSN: LSN(7), usedBytes: 4096,
        fileSystem: nil, fileCount: 1247, directoryCount: 42, corruptBlocks: [],
        readOnlyReason: nil, mounts: [], lastSync: Timestamp(seconds: 5, nanoseconds: 0),
        createdAt: Timestamp(seconds: 1, nanoseconds: 0))
    }
  }

  func deleteReplica(_ id: VolumeID) async throws(NodeError) {
    let paths = state.withLock { $0.volumes[id]?.mounts.map(\.path) ?? [] }
    if !paths.isEmpty { throw .volumeInUse(id, paths: paths) }
    state.withLock { $0.volumes[id] = nil }
  }

  func expandReplica(_ id: VolumeID, toBytes capacityBytes: UInt64) async throws(NodeError) {
    state.withLock { $0.volumes[id]?.specification.capacityBytes = capacityBytes }
  }

  func volumes() async -> [VolumeStatus] {
    state.withLock { $0.volumes.values.sorted { $0.specification.name < $1.specification.name } }
  }

  func status(of id: VolumeID) async throws(NodeError) -> VolumeStatus {
    guard let status = state.withLock({ $0.volumes[id] }) else { throw .volumeNotFound(id) }
    return status
  }

  func poolStatus() async throws(NodeError) -> PoolStatus {
    PoolStatus(
      id: PoolID(UUIDValue(high: 1, low: 1)), path: "/pool", totalBytes: 100 << 30,
      availableBytes: 60 << 30, provisionedBytes: 0, journalBytes: 0, readOnlyReason: nil)
  }

  func mount(_ id: VolumeID, _ request: MountRequest) async throws(NodeError) -> MountRecord {
    try failIfTold()
    let record = MountRecord(
      volume: id, path: request.path, isReadOnly: request.isReadOnly, options: request.options,
      kind: "galleonfs")
    state.withLock { $0.volumes[id]?.mounts.append(record) }
    return record
  }

  func unmount(path: String, lazily: Bool) async throws(NodeError) {
    try failIfTold()
    state.withLock { state in
      for id in state.volumes.keys { state.volumes[id]?.mounts.removeAll { $0.path == path } }
    }
  }

  func mounts() async -> [MountRecord] { await volumes().flatMap(\.mounts) }

  func sync(_ id: VolumeID?) async throws(NodeError) { try failIfTold() }

  func volumeEvents() -> AsyncStream<VolumeEvent> { AsyncStream { $0.finish() } }

  private func failIfTold() throws(NodeError) {
    let failure: NodeError? = state.withLock { state in
      defer { state.failure = nil }
      return state.failure
    }
    if let failure { throw failure }
  }
}

/// A daemon that never ends.
final class FakeProcess: DaemonControl {
  let facts = DaemonFacts(
    version: "9.9.9", nodeName: "node-a", nodeID: "id-a", clusterID: "cluster", processID: 42,
    startedAt: Timestamp(seconds: 3, nanoseconds: 0), ipcAddress: "127.0.0.1:8090",
    httpAddress: "", configurationPath: "", etcdEndpoints: ["127.0.0.1:1"], etcdIsManaged: true)
  let configuration: DaemonConfiguration
  let troubles: [String] = []
  let phase = DaemonPhase.ready
  let residentBytes: UInt64 = 1 << 20
  let requests = Mutex<[String]>([])

  init() throws { configuration = try DaemonConfiguration(flags: [:], environment: [:]) }

  func requestStop(force: Bool) { requests.withLock { $0.append("stop \(force)") } }
  func requestRestart(force: Bool) { requests.withLock { $0.append("restart \(force)") } }
}

/// Automatic mounts under /auto.
struct FakeAutoMounter: AutoMounting {
  let node: FakeNode

  func path(of specification: VolumeSpecification) -> String { "/auto/\(specification.name)" }

  func mount(_ specification: VolumeSpecification) async -> String? {
    do throws(NodeError) {
      _ = try await node.mount(specification.id, MountRequest(path: path(of: specification)))
      return nil
    } catch {
      return "\(error)"
    }
  }

  func unmount(_ specification: VolumeSpecification) async throws(Refusal) {
    try await refusing { () async throws(NodeError) in
      try await node.unmount(path: path(of: specification))
    }
  }
}
