package import ClusterControl
package import DaemonConfiguration
package import NodeRuntime
package import StorageModel

/// This node as the volume controller sees it.
package struct LocalReplicaHost: ReplicaHost {
  private let node: any NodeServices

  package init(_ node: any NodeServices) {
    self.node = node
  }

  package func createReplica(_ specification: VolumeSpecification) async throws(Refusal) {
    try await refusing { () async throws(NodeError) in
      try await node.createReplica(specification)
    }
  }

  package func deleteReplica(_ id: VolumeID) async throws(Refusal) {
    try await refusing { () async throws(NodeError) in try await node.deleteReplica(id) }
  }

  package func pathsInUse(of id: VolumeID) async throws(Refusal) -> [String] {
    await node.mounts().filter { $0.volume == id }.map(\.path)
  }

  package func expandReplica(_ id: VolumeID, toBytes capacityBytes: UInt64) async throws(Refusal) {
    try await refusing { () async throws(NodeError) in
      try await node.expandReplica(id, toBytes: capacityBytes)
    }
  }

  package func replicas() async throws(Refusal) -> [ReplicaDescription] {
    await node.volumes().map {
      ReplicaDescription(
        specification: $0.specification, epoch: $0.epoch, createdAt: $0.createdAt)
    }
  }

  package func poolCapacityBytes() async throws(Refusal) -> UInt64 {
    try await refusing { () async throws(NodeError) in try await node.poolStatus().totalBytes }
  }
}

/// Runs a call of the node and tells its errors as refusals.
package func refusing<Result>(
  _ body: () async throws(NodeError) -> Result
) async throws(Refusal) -> Result {
  do throws(NodeError) {
    return try await body()
  } catch {
    throw Refusal(error)
  }
}
