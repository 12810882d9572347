package import DaemonConfiguration
package import StorageModel

/// What placement needs of a node: to make, remove and grow replicas. Every call is idempotent.
package protocol ReplicaHost: Sendable {
  func createReplica(_ specification: VolumeSpecification) async throws(Refusal)
  func deleteReplica(_ id: VolumeID) async throws(Refusal)

  /// Where the volume is mounted or attached on the node.
  func pathsInUse(of id: VolumeID) async throws(Refusal) -> [String]

  func expandReplica(_ id: VolumeID, toBytes capacityBytes: UInt64) async throws(Refusal)

  /// What the node's replicas say of themselves.
  func replicas() async throws(Refusal) -> [ReplicaDescription]

  /// Size of the file system under the pool.
  func poolCapacityBytes() async throws(Refusal) -> UInt64
}

/// A replica's own copy of its volume's configuration.
package struct ReplicaDescription: Hashable, Sendable {
  package var specification: VolumeSpecification
  package var epoch: Epoch
  package var createdAt: Timestamp

  package init(specification: VolumeSpecification, epoch: Epoch, createdAt: Timestamp) {
    self.specification = specification
    self.epoch = epoch
    self.createdAt = createdAt
  }
}
