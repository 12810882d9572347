internal import ClusterControl
internal import DaemonConfiguration
internal import Messages
internal import NodeRuntime
internal import StorageModel

/// `galleonfs.v1.Cluster`
struct ClusterService: Sendable {
  let context: ControlContext

  func status(_ request: Control.ClusterStatusRequest) async throws(Refusal)
    -> Control.ClusterStatusResponse
  {
    let facts = context.daemon.facts
    var response = Control.ClusterStatusResponse()
    response.clusterID = facts.clusterID
    response.leader = facts.nodeName
    var etcd = Control.EtcdStatus()
    etcd.managed = facts.etcdIsManaged
    etcd.endpoints = facts.etcdEndpoints
    var entries: [VolumeEntry] = []
    do throws(Refusal) {
      let store = try await context.controller.catalog.storeStatus()
      etcd.reachable = true
      etcd.version = store.version
      etcd.members = UInt32(clamping: store.memberCount)
      etcd.databaseBytes = store.databaseBytes
      entries = try await context.controller.volumes()
      response.nodes = try await nodes()
    } catch {
      // The answer is worth giving all the same: that etcd is away is what it says.
      response.messages.append("etcd: \(error.message)")
      response.nodes = [await localNode(volumeCount: 0)]
    }
    response.etcd = etcd
    response.volumes = UInt32(clamping: entries.count)
    let degraded = entries.filter(\.isDegraded).map(\.name)
    response.degradedVolumes = UInt32(clamping: degraded.count)
    response.capacityBytes = response.nodes.map(\.capacityBytes).reduce(0, &+)
    response.usedBytes = response.nodes.map(\.usedBytes).reduce(0, &+)
    if !degraded.isEmpty {
      response.messages.append("degraded volumes: \(degraded.joined(separator: ", "))")
    }
    response.messages += context.daemon.troubles
    response.healthy = etcd.reachable && degraded.isEmpty && context.daemon.troubles.isEmpty
    return response
  }

  func peers(_ request: Control.ClusterPeersRequest) async throws(Refusal)
    -> Control.ClusterPeersResponse
  {
    var response = Control.ClusterPeersResponse()
    response.peers = try await nodes().filter { !$0.local }
    return response
  }

  func join(_ request: Control.JoinClusterRequest) async throws(Refusal)
    -> Control.JoinClusterResponse
  {
    throw .precondition(
      "joining other nodes is not supported by this version; this node is a cluster of its own")
  }

  func leave(_ request: Control.LeaveClusterRequest) async throws(Refusal)
    -> Control.LeaveClusterResponse
  {
    throw .precondition(
      "this node is the only one of its cluster; there is no cluster to leave. To stop it, use "
        + "daemon stop")
  }

  private func nodes() async throws(Refusal) -> [Control.ClusterNode] {
    let facts = context.daemon.facts
    var nodes: [Control.ClusterNode] = []
    for entry in try await context.controller.catalog.nodes() {
      if entry.id == facts.nodeID {
        nodes.append(await localNode(volumeCount: await context.node.volumes().count))
        continue
      }
      // Nodes that registered with this etcd but cannot be reached by this version.
      var node = Control.ClusterNode()
      node.id = entry.id
      node.name = entry.name
      node.address = entry.address
      node.controlAddress = entry.controlAddress
      node.zone = entry.zone ?? ""
      node.state = .offline
      node.capacityBytes = entry.capacityBytes
      nodes.append(node)
    }
    return nodes
  }

  private func localNode(volumeCount: Int) async -> Control.ClusterNode {
    let facts = context.daemon.facts
    let configuration = context.daemon.configuration
    var node = Control.ClusterNode()
    node.id = facts.nodeID
    node.name = facts.nodeName
    node.address = configuration.bindAddress.description
    node.controlAddress = facts.ipcAddress
    node.zone = configuration.zone ?? ""
    node.state = context.daemon.phase == .stopping ? .leaving : .online
    node.roles = ["node", "controller"]
    node.leader = true
    node.local = true
    node.version = facts.version
    node.volumes = UInt32(clamping: volumeCount)
    if let pool = try? await context.node.poolStatus() {  // else the node is starting or stopping
      node.capacityBytes = pool.totalBytes
      node.usedBytes = pool.totalBytes - min(pool.totalBytes, pool.availableBytes)
    }
    return node
  }
}
