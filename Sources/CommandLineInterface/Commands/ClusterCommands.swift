package import ArgumentParser
internal import DaemonConfiguration
internal import Messages

/// `cluster …`
package struct ClusterCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "cluster", abstract: "The cluster and its nodes.",
    discussion: """
      EXAMPLES
        galleonfs cluster status
        galleonfs cluster peers -o json
      """,
    subcommands: [
      ClusterStatus.self, ClusterPeers.self, JoinCluster.self, LeaveCluster.self,
    ])

  package init() {}
}

struct ClusterStatus: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the cluster and its nodes.",
    discussion: "EXAMPLE\n  galleonfs cluster status")

  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let status = try await client.call(
      Control.ClusterService.status, Control.ClusterStatusRequest())
    return Report(text: Self.text(status), value: OutputValue(status))
  }

  private static func text(_ status: Control.ClusterStatusResponse) -> String {
    let own = status.nodes.first { $0.local }
    var text =
      "Cluster Status:\n"
      + Wording.details([
        ("Cluster ID", status.clusterID), ("Node ID", own?.id ?? ""),
        ("Cluster Size", Wording.count(status.nodes.count, "node")), ("Leader", status.leader),
        ("Healthy", status.healthy ? "yes" : "no"),
        ("Volumes", "\(status.volumes), \(status.degradedVolumes) degraded"),
        (
          "Capacity",
          "\(Wording.size(status.usedBytes)) of \(Wording.size(status.capacityBytes)) used"
        ),
      ])
    if let etcd = status.etcd {
      let kind = etcd.managed ? "managed" : "external"
      let state = etcd.reachable ? "reachable, version \(etcd.version)" : "not reachable"
      text += "  etcd: \(kind), \(state), \(etcd.endpoints.joined(separator: ", "))\n"
    }
    text += "  Peers:\n" + ClusterPeers.lines(status.nodes.filter { !$0.local })
    for message in status.messages { text += "  Note: \(message)\n" }
    return text
  }
}

struct ClusterPeers: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "peers", abstract: "List the other nodes.",
    discussion: "EXAMPLE\n  galleonfs cluster peers")

  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      Control.ClusterService.peers, Control.ClusterPeersRequest())
    return Report(
      text: "Peers:\n" + Self.lines(answer.peers),
      value: .list(answer.peers.map { OutputValue($0) }))
  }

  static func lines(_ peers: [Control.ClusterNode]) -> String {
    if peers.isEmpty { return "    none\n" }
    return peers.map { "    \($0.name): \($0.address) (\($0.state.word))\n" }.joined()
  }
}

struct JoinCluster: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "join", abstract: "Join the cluster of other nodes.",
    discussion: "EXAMPLE\n  galleonfs cluster join 10.0.1.10:8081")

  @Argument(help: "Addresses of nodes that are in the cluster.")
  var peers: [String]
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.JoinClusterRequest()
    for peer in peers.flatMap({ $0.split(separator: ",") }) {
      do throws(Refusal) {
        request.peerAddresses.append(
          try NetworkAddress(parsing: String(peer), what: "peer address").description)
      } catch {
        throw CommandFailure(.usage, error.message)
      }
    }
    let answer = try await client.call(Control.ClusterService.join, request)
    return Report(
      text: "Joined cluster \(answer.clusterID) of "
        + "\(Wording.count(answer.nodes.count, "node")).\n",
      value: OutputValue(answer))
  }
}

struct LeaveCluster: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "leave", abstract: "Leave the cluster.",
    discussion: "EXAMPLE\n  galleonfs cluster leave --force")

  @Flag(help: "Leave even if volumes lose their last replica.")
  var force = false
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.LeaveClusterRequest()
    request.force = force
    let answer = try await client.call(Control.ClusterService.leave, request)
    return Report(
      text: "Left the cluster.\n" + answer.messages.map { "  \($0)\n" }.joined(),
      value: OutputValue(answer))
  }
}
