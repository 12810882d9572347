internal import ClusterControl
internal import ControlAPI
internal import DaemonConfiguration
internal import Logging
internal import NodeRuntime
internal import StorageModel

/// Makes this node known to the cluster and its pool known to the catalogue.
struct Membership: Sendable {
  let controller: VolumeController
  let node: any NodeServices
  let process: DaemonProcess

  private static let part = "etcd"

  /// Tries until it is done or `patience` is over; gives the last failure, or nil when done.
  func join(patience: Duration) async -> String? {
    let end = ContinuousClock.now + patience
    var pause = Duration.milliseconds(20)
    while true {
      do throws(Refusal) {
        try await register()
        process.note(nil, of: Self.part)
        return nil
      } catch {
        if ContinuousClock.now + pause > end || Task.isCancelled {
          process.note(
            "the cluster's configuration is away: \(error.message); volumes are served, changes "
              + "wait", of: Self.part)
          return error.message
        }
        guard (try? await Task.sleep(for: pause)) != nil else { continue }  // cancelled: last try
        pause = min(pause * 2, .milliseconds(500))
      }
    }
  }

  /// Goes on trying with growing pauses, until it is done or cancelled.
  func keepTrying() async {
    while !Task.isCancelled, await join(patience: .seconds(60)) != nil {}
  }

  private func register() async throws(Refusal) {
    let facts = process.facts
    let configuration = process.configuration
    var generator = SystemRandomNumberGenerator()
    let cluster = try await controller.catalog.clusterID(
      proposing: UUIDValue(randomFrom: &generator))
    let pool = try await refusing { () async throws(NodeError) in try await node.poolStatus() }
    try await controller.catalog.register(
      NodeEntry(
        id: facts.nodeID, name: facts.nodeName, zone: configuration.zone,
        address: configuration.bindAddress.description,
        controlAddress: configuration.ipcAddress.description, capacityBytes: pool.totalBytes,
        diskType: configuration.diskType?.rawValue))
    try await controller.reconcile()
    process.update { $0.clusterID = cluster.description }
  }
}

/// Whether the node can serve, for /readyz.
struct Readiness: Sendable {
  let node: any NodeServices
  let process: DaemonProcess

  /// nil when ready.
  func reason() async -> String? {
    switch process.phase {
    case .starting: return "the daemon is starting"
    case .stopping: return "the daemon is stopping"
    case .ready: break
    }
    do throws(NodeError) {
      return try await node.poolStatus().readOnlyReason.map { "the pool refuses writes: \($0)" }
    } catch {
      return "\(error)"
    }
  }
}
