package import StorageModel

/// What a node offers to the services above it: replicas, their data, and their mounts.
///
/// Every call is idempotent: what is already so succeeds. Blocking work runs on the node's own
/// threads, never on the caller's executor.
package protocol NodeServices: AnyObject, Sendable {
  /// Makes the volume's replica here, ready to be mounted; `.volumeExists` if one exists whose
  /// specification differs.
  func createReplica(_ specification: VolumeSpecification) async throws(NodeError)

  /// Deletes the replica and gives its space back; `.volumeInUse` while mounted. A volume that
  /// does not exist is no error.
  func deleteReplica(_ id: VolumeID) async throws(NodeError)

  /// Grows a volume, online; its loop device and the file system on it grow with it.
  func expandReplica(_ id: VolumeID, toBytes capacityBytes: UInt64) async throws(NodeError)

  /// All replicas of this node, by name.
  func volumes() async -> [VolumeStatus]

  func status(of id: VolumeID) async throws(NodeError) -> VolumeStatus

  func poolStatus() async throws(NodeError) -> PoolStatus

  /// Mounts or attaches a volume at a path, made if it does not exist. `.pathOccupied` if
  /// something else is mounted there or the same volume in another way.
  func mount(_ id: VolumeID, _ request: MountRequest) async throws(NodeError) -> MountRecord

  /// Undoes `mount` at this path; nothing mounted there is no error. The last one of a volume
  /// ends its session. `lazily`: also if files are open there; their users get errors then.
  func unmount(path: String, lazily: Bool) async throws(NodeError)

  func mounts() async -> [MountRecord]

  /// Returns when all that was written to the volume (nil: to every volume), also what the
  /// kernel still held back, is durable.
  func sync(_ id: VolumeID?) async throws(NodeError)

  /// Names of the volumes that were added or removed, as they are: for mounting automatically.
  func volumeEvents() -> AsyncStream<VolumeEvent>
}

extension NodeServices {
  /// Undoes `mount` at this path, unless files are open there.
  package func unmount(path: String) async throws(NodeError) {
    try await unmount(path: path, lazily: false)
  }
}

/// A volume came or went on this node.
package enum VolumeEvent: Hashable, Sendable {
  case added(VolumeSpecification)
  case removed(VolumeSpecification)
}
