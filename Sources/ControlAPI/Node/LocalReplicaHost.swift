package import ClusterControl
package import DaemonConfiguration
package import NodeRuntime
package import StorageModel

/// This node as the volume controller sees it.
package struct LocalReplicaHost: ReplicaHost {
  private let node: any NodeServices
  private let autoMounter: (any AutoMounting)?

  /// Mounts of the `autoMounter` do not count as use: nobody asked for them but the configuration.
  package init(_ node: any NodeServices, autoMounter: (any AutoMounting)? = nil) {
    self.node = node
    self.autoMounter = autoMounter
  }

  package func createReplica(_ specification: VolumeSpecification) async throws(Refusal) {
    try await refusing { () async throws(NodeError) in
      try await node.createReplica(specification)
    }
  }

  package func deleteReplica(_ id: VolumeID) async throws(Refusal) {
    // Gone already is fine: then nothing is mounted either.
    if let autoMounter, let status = try? await node.status(of: id) {
      try await autoMounter.unmount(status.specification)
    }
    try await refusing { () async throws(NodeError) in try await node.deleteReplica(id) }
  }

  package func pathsInUse(of id: VolumeID) async throws(Refusal) -> [String] {
    let paths = await node.mounts().filter { $0.volume == id }.map(\.path)
    guard let autoMounter, let status = try? await node.status(of: id) else { return paths }
    let own = autoMounter.path(of: status.specification)
    return paths.filter { $0 != own }
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
