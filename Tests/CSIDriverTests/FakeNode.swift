import ClusterControl
import DaemonConfiguration
import Glibc
import NodeRuntime
import StorageModel
import Synchronization

/// A node in memory whose mounts are empty directories and files of the host.
final class FakeNode: NodeServices, Sendable {
  struct State {
    var volumes: [VolumeID: VolumeSpecification] = [:]
    var mounts: [MountRecord] = []
    var corruptBlocks: [String] = []
  }

  static let roomBytes: UInt64 = 1 << 40

  let state = Mutex(State())

  func createReplica(_ specification: VolumeSpecification) async throws(NodeError) {
    state.withLock { $0.volumes[specification.id] = specification }
  }

  func deleteReplica(_ id: VolumeID) async throws(NodeError) {
    state.withLock { $0.volumes[id] = nil }
  }

  func expandReplica(_ id: VolumeID, toBytes capacityBytes: UInt64) async throws(NodeError) {
    state.withLock { $0.volumes[id]?.capacityBytes = capacityBytes }
  }

  func volumes() async -> [VolumeStatus] {
    state.withLock { state in state.volumes.values.map { Self.status($0, state) } }
  }

  func status(of id: VolumeID) async throws(NodeError) -> VolumeStatus {
    let status = state.withLock { state in state.volumes[id].map { Self.status($0, state) } }
    guard let status else { throw .volumeNotFound(id) }
    return status
  }

  func poolStatus() async throws(NodeError) -> PoolStatus {
    PoolStatus(
      id: PoolID(UUIDValue(high: 1, low: 1)), path: "/pool", totalBytes: Self.roomBytes,
      availableBytes: Self.roomBytes / 2, provisionedBytes: 0, journalBytes: 0,
      readOnlyReason: nil)
  }

  func mount(_ id: VolumeID, _ request: MountRequest) async throws(NodeError) -> MountRecord {
    let kind =
      switch request.presentation {
      case .galleonfs: "galleonfs"
      case .formatted(let fileSystem): fileSystem
      case .device: "block"
      }
    if request.presentation == .device {
      close(open(request.path, O_CREAT | O_WRONLY, 0o600))
    } else {
      mkdir(request.path, 0o700)
    }
    let record = MountRecord(
      volume: id, path: request.path, isReadOnly: request.isReadOnly, options: request.options,
      kind: kind)
    state.withLock { state in
      if !state.mounts.contains(where: { $0.path == record.path }) { state.mounts.append(record) }
    }
    return record
  }

  func unmount(path: String, lazily: Bool) async throws(NodeError) {
    state.withLock { state in state.mounts.removeAll { $0.path == path } }
  }

  func mounts() async -> [MountRecord] { state.withLock { $0.mounts } }

  func sync(_ id: VolumeID?) async throws(NodeError) {}

  func volumeEvents() -> AsyncStream<VolumeEvent> { AsyncStream { $0.finish() } }

  private static func status(_ volume: VolumeSpecification, _ state: State) -> VolumeStatus {
    VolumeStatus(
      specification: volume, epoch: .first, lastLSN: .zero, usedBytes: 4_096,
      fileSystem: volume.content == .block
        ? nil
        : FileSystemStatistics(
          blockByteCount: 4_096, totalBlocks: 100, freeBlocks: 99, totalInodes: 100,
          freeInodes: 99, maximumNameByteCount: 255),
      fileCount: 0, directoryCount: 1, corruptBlocks: state.corruptBlocks, readOnlyReason: nil,
      mounts: state.mounts.filter { $0.volume == volume.id }, lastSync: nil,
      createdAt: Timestamp(seconds: 0, nanoseconds: 0))
  }
}
