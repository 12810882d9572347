import CSIDriver
import ClusterControl
import DaemonConfiguration
import GRPC
import Glibc
import Logging
import Messages
import StorageModel
import Testing

/// The services on a Unix socket: a real catalogue in memory, a node without a kernel.
final class SocketBench {
  let node = FakeNode()
  let catalog = VolumeCatalog(MemoryStore())
  /// Removed at the end.
  let directory: String
  let server: GRPCServer
  let channel: GRPCChannel

  var socketPath: String { directory + "/csi.sock" }

  init() async throws {
    var template = Array("/tmp/galleon-csi-XXXXXX".utf8CString)
    let made = mkdtemp(&template)
    directory = try #require(made.map { String(cString: $0) })
    try await catalog.register(
      NodeEntry(
        id: "n1", name: "node-1", zone: "zone-a", address: "", controlAddress: "",
        capacityBytes: FakeNode.roomBytes, diskType: nil))
    var router = GRPCRouter()
    try Self.services(catalog, node).register(on: &router)
    let path = directory + "/csi.sock"
    server = try GRPCServer(listeningOn: [.unix(path: path)], router: router)
    channel = try GRPCChannel(to: .unix(path: path))
    for name in ["staging", "targets"] { mkdir("\(directory)/\(name)", 0o700) }
  }

  static func services(_ catalog: VolumeCatalog, _ node: FakeNode) throws -> CSIServices {
    let controller = VolumeController(
      catalog: catalog, host: FakeReplicaHost(node: node), nodeID: "n1",
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

  func stop() async {
    await server.shutdown()
    let targets = "\(directory)/targets/t"
    for path in [targets, directory + "/staging/galleonfs-device", socketPath] { unlink(path) }
    for path in [targets, directory + "/targets", directory + "/staging", directory] { rmdir(path) }
  }

  func call<Request: Message, Response: Message>(
    _ method: RPCMethod<Request, Response>, _ request: Request
  ) async throws -> Response {
    let reply = try await channel.unary(
      MethodPath(method.service, method.name), request.serializedBytes(),
      options: CallOptions(timeout: .seconds(20)))
    return try Response(serializedBytes: reply.message)
  }
}

/// Runs a test's body on a bench that is taken down afterwards.
func onSocket(_ body: (SocketBench) async throws -> Void) async throws {
  let bench = try await SocketBench()
  do {
    try await body(bench)
  } catch {
    await bench.stop()
    throw error
  }
  await bench.stop()
}
