import ClusterControl
import DaemonConfiguration
import NodeRuntime
import StorageModel

/// A node, as the controller sees it.
struct LocalReplicas: ReplicaHost {
  let node: any NodeServices

  func createReplica(_ specification: VolumeSpecification) async throws(Refusal) {
    try await asking { () async throws(NodeError) in try await node.createReplica(specification) }
  }

  func deleteReplica(_ id: VolumeID) async throws(Refusal) {
    try await asking { () async throws(NodeError) in try await node.deleteReplica(id) }
  }

  func pathsInUse(of id: VolumeID) async throws(Refusal) -> [String] {
    await node.mounts().filter { $0.volume == id }.map(\.path)
  }

  func expandReplica(_ id: VolumeID, toBytes capacityBytes: UInt64) async throws(Refusal) {
    try await asking { () async throws(NodeError) in
      try await node.expandReplica(id, toBytes: capacityBytes)
    }
  }

  func replicas() async throws(Refusal) -> [ReplicaDescription] { [] }

  func poolCapacityBytes() async throws(Refusal) -> UInt64 {
    try await asking { () async throws(NodeError) in try await node.poolStatus().totalBytes }
  }

  private func asking<Answer>(
    _ question: () async throws(NodeError) -> Answer
  ) async throws(Refusal) -> Answer {
    do {
      return try await question()
    } catch {
      throw Refusal(.internal, "\(error)")
    }
  }
}
