package import ClusterControl
package import DaemonConfiguration
package import NodeRuntime
package import StorageModel

/// What the services of the control API work with.
package struct ControlContext: Sendable {
  package var node: any NodeServices
  package var controller: VolumeController
  package var daemon: any DaemonControl
  /// Mounts volumes by themselves; nil without `--mount-point`.
  package var autoMounter: (any AutoMounting)?

  package init(
    node: any NodeServices, controller: VolumeController, daemon: any DaemonControl,
    autoMounter: (any AutoMounting)?
  ) {
    self.node = node
    self.controller = controller
    self.daemon = daemon
    self.autoMounter = autoMounter
  }
}

/// What the services need of the daemon as a process.
package protocol DaemonControl: Sendable {
  var facts: DaemonFacts { get }
  /// As last read.
  var configuration: DaemonConfiguration { get }
  /// What is not well with the daemon itself, in sentences.
  var troubles: [String] { get }
  var phase: DaemonPhase { get }
  var residentBytes: UInt64 { get }

  /// Begins to stop; returns at once. `force` does not wait for running calls.
  func requestStop(force: Bool)
  /// Begins to stop, then runs the program again with the same arguments.
  func requestRestart(force: Bool)
}

/// What does not change while the daemon runs.
package struct DaemonFacts: Hashable, Sendable {
  package var version: String
  package var nodeName: String
  package var nodeID: String
  package var clusterID: String
  package var processID: Int32
  package var startedAt: Timestamp
  /// With the port that the kernel chose, if it was asked to.
  package var ipcAddress: String
  package var httpAddress: String
  package var configurationPath: String
  /// Endpoints of etcd, and whether it is the daemon's own child.
  package var etcdEndpoints: [String]
  package var etcdIsManaged: Bool

  package init(
    version: String, nodeName: String, nodeID: String, clusterID: String, processID: Int32,
    startedAt: Timestamp, ipcAddress: String, httpAddress: String, configurationPath: String,
    etcdEndpoints: [String], etcdIsManaged: Bool
  ) {
    self.version = version
    self.nodeName = nodeName
    self.nodeID = nodeID
    self.clusterID = clusterID
    self.processID = processID
    self.startedAt = startedAt
    self.ipcAddress = ipcAddress
    self.httpAddress = httpAddress
    self.configurationPath = configurationPath
    self.etcdEndpoints = etcdEndpoints
    self.etcdIsManaged = etcdIsManaged
  }
}

/// How far the daemon is. Each has only the next as its successor.
package enum DaemonPhase: Sendable {
  case starting
  case ready
  case stopping
}

/// Mounts every volume at a directory of its name.
package protocol AutoMounting: Sendable {
  /// Where the volume is or will be mounted.
  func path(of specification: VolumeSpecification) -> String

  /// Returns when the volume is mounted there, or with the reason why it is not.
  func mount(_ specification: VolumeSpecification) async -> String?

  /// Unmounts there, unless files are open. Throws `Refusal` (precondition) then.
  func unmount(_ specification: VolumeSpecification) async throws(Refusal)
}
