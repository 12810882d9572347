import CSIDriver
import ClusterControl
import DaemonConfiguration
import Foundation
import GRPC
import Glibc
import Logging
import Messages
import NodeRuntime
import StorageModel
import Testing

/// The services on a Unix socket: a real catalogue in memory, and a node.
final class SocketBench {
  let node: any NodeServices
  let catalog: VolumeCatalog
  /// An empty directory with `staging` and `targets` in it.
  let directory: String
  let server: GRPCServer
  let channel: GRPCChannel

  var socketPath: String { directory + "/csi.sock" }
  var staging: String { directory + "/staging" }
  var target: String { directory + "/targets/t" }

  init(
    _ node: any NodeServices, _ directory: String, catalog: VolumeCatalog
  ) async throws {
    self.node = node
    self.directory = directory
    self.catalog = catalog
    try await catalog.register(
      NodeEntry(
        id: "n1", name: "node-1", zone: "zone-a", address: "", controlAddress: "",
        capacityBytes: 1 << 40, diskType: nil))
    var router = GRPCRouter()
    try Self.services(catalog, node).register(on: &router)
    server = try GRPCServer(
      listeningOn: [.unix(path: directory + "/csi.sock")], router: router)
    channel = try GRPCChannel(to: .unix(path: directory + "/csi.sock"))
    for name in ["staging", "targets"] { mkdir("\(directory)/\(name)", 0o700) }
  }

  static func services(
    _ catalog: VolumeCatalog, _ node: any NodeServices
  ) throws -> CSIServices {
    let controller = VolumeController(
      catalog: catalog, host: LocalReplicas(node: node), nodeID: "n1",
      configuration: try DaemonConfiguration(flags: [:], environment: [:]),
      now: { Timestamp(seconds: 0, nanoseconds: 0) })
    let control = ClusterVolumeControl(controller: controller, node: node, nodeName: "node-1")
    let host = RuntimeNodeHost(place: .init(name: "node-1", zone: "zone-a"), node: node)
    let runner = CallRunner(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return CSIServices(
      identity: IdentityService(version: "1", control: control, host: host),
      controller: ControllerService(control: control, runner: runner),
      node: NodeService(host: host, runner: runner))
  }

  func call<Request: Message, Response: Message>(
    _ method: RPCMethod<Request, Response>, _ request: Request
  ) async throws -> Response {
    let reply = try await channel.unary(
      MethodPath(method.service, method.name), request.serializedBytes(),
      options: CallOptions(timeout: .seconds(60)))
    return try Response(serializedBytes: reply.message)
  }
}

/// The steps that an orchestrator takes with a volume.
extension SocketBench {
  func create(
    _ name: String, bytes: Int64 = 64 << 20, _ capability: CSI.VolumeCapability = .mount(),
    parameters: [String: String] = [:]
  ) async throws -> CSI.Volume {
    let info = try await call(CSI.NodeService.nodeGetInfo, .init())
    let created = try await call(
      CSI.ControllerService.createVolume,
      .init(
        name: name, capacityRange: .init(requiredBytes: bytes), volumeCapabilities: [capability],
        parameters: parameters,
        accessibilityRequirements: .init(requisite: [info.accessibleTopology ?? .init()])))
    return try #require(created.volume)
  }

  func publish(
    _ volume: CSI.Volume, _ capability: CSI.VolumeCapability = .mount(), readonly: Bool = false
  ) async throws {
    _ = try await call(
      CSI.ControllerService.controllerPublishVolume,
      .init(volumeID: volume.volumeID, nodeID: "node-1", volumeCapability: capability))
    _ = try await call(
      CSI.NodeService.nodeStageVolume,
      .init(
        volumeID: volume.volumeID, stagingTargetPath: staging, volumeCapability: capability,
        volumeContext: volume.volumeContext))
    _ = try await call(
      CSI.NodeService.nodePublishVolume,
      .init(
        volumeID: volume.volumeID, stagingTargetPath: staging, targetPath: target,
        volumeCapability: capability, readonly: readonly, volumeContext: volume.volumeContext))
  }

  func unpublish(_ volume: CSI.Volume) async throws {
    _ = try await call(
      CSI.NodeService.nodeUnpublishVolume, .init(volumeID: volume.volumeID, targetPath: target))
    _ = try await call(
      CSI.NodeService.nodeUnstageVolume,
      .init(volumeID: volume.volumeID, stagingTargetPath: staging))
    _ = try await call(
      CSI.ControllerService.controllerUnpublishVolume,
      .init(volumeID: volume.volumeID, nodeID: "node-1"))
  }
}

/// A fresh directory for `body`, removed with all that it holds afterwards.
func inDirectory(_ body: (String) async throws -> Void) async throws {
  var template = Array("/tmp/galleon-csi-XXXXXX".utf8CString)
  let made = mkdtemp(&template)
  let directory = try #require(made.map { String(cString: $0) })
  defer { try? FileManager.default.removeItem(atPath: directory) }  // else it stays in /tmp
  try await body(directory)
}

/// Runs a test's body on a bench with a fake node.
func onSocket(_ body: (SocketBench, FakeNode) async throws -> Void) async throws {
  try await inDirectory { directory in
    let node = FakeNode()
    let bench = try await SocketBench(node, directory, catalog: VolumeCatalog(MemoryStore()))
    do {
      try await body(bench, node)
    } catch {
      await bench.server.shutdown()
      throw error
    }
    await bench.server.shutdown()
  }
}
