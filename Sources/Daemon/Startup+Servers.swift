internal import CSIDriver
internal import ClusterControl
internal import ControlAPI
internal import DaemonConfiguration
internal import GRPC
internal import Logging
internal import Messages
internal import NodeRuntime

extension Startup {
  /// The control API, with health and reflection, on `--ipc-address`.
  mutating func startControl(
    _ context: ControlContext, _ process: DaemonProcess, _ calls: CallStatistics, _ token: String?
  ) throws(Refusal) {
    let health = HealthService()
    var router = GRPCRouter()
    ControlBinding.add(to: &router, context)
    for service in ControlBinding.services + [""] { health.set(.serving, service: service) }
    let address = configuration.ipcAddress
    let server = try serve(
      router, health,
      on: .tcp(host: address.host, port: Int(address.port), security: try security()),
      interceptors: [calls.interceptor] + Self.guards(token), flag: "--ipc-address \(address)")
    guard case .tcp(let host, let port)? = server.addresses.first else {
      throw Refusal(.internal, "the control API has no address")
    }
    process.update {
      $0.ipcAddress = NetworkAddress(host: host, port: UInt16(clamping: port)).description
    }
    note("control api", server, health)
  }

  /// CSI on its Unix socket, if there is to be one.
  mutating func startCSI(
    _ node: Node, _ controller: VolumeController, _ process: DaemonProcess,
    _ calls: CallStatistics
  ) throws(Refusal) {
    guard let path = configuration.csiSocketPath else { return }
    let name = process.facts.nodeName
    let control = ClusterVolumeControl(controller: controller, node: node, nodeName: name)
    let host = RuntimeNodeHost(
      place: NodePlace(name: name, zone: configuration.zone), node: node)
    let runner = CallRunner(logger: Logger(label: "galleonfs.csi"))
    let services = CSIServices(
      identity: IdentityService(version: ProgramVersion.current, control: control, host: host),
      controller: ControllerService(control: control, runner: runner),
      node: NodeService(host: host, runner: runner))
    let health = HealthService()
    var router = GRPCRouter()
    services.register(on: &router)
    for service in router.services + [""] { health.set(.serving, service: service) }
    let server = try serve(
      router, health, on: .unix(path: path), interceptors: [calls.interceptor],
      flag: "--csi-endpoint unix://\(path)")
    note("csi", server, health)
  }

  private func serve(
    _ router: GRPCRouter, _ health: HealthService, on address: ListenAddress,
    interceptors: [ServerInterceptor], flag: String
  ) throws(Refusal) -> GRPCServer {
    var router = router
    health.register(in: &router)
    do throws(GRPCStatus) {
      try ReflectionService(fileDescriptorSet: ProtoDescriptors.fileDescriptorSet)
        .register(in: &router)
      return try GRPCServer(
        listeningOn: [address], router: router, interceptors: interceptors)
    } catch {
      throw .precondition("\(flag): \(error.message)")
    }
  }

  private mutating func note(_ name: String, _ server: GRPCServer, _ health: HealthService) {
    teardown.add(name) { grace in
      health.set(.notServing)
      await server.shutdown(grace: grace)
    }
  }

  private static func guards(_ token: String?) -> [ServerInterceptor] {
    guard let token else { return [] }
    let bytes = Array(token.utf8)
    return [.bearerToken(token: { bytes })]
  }

  private func security() throws(Refusal) -> ServerSecurity {
    guard let tls = configuration.tls else { return .insecure }
    let identity = TLSIdentity(
      certificateChainPEM: Array(try TextFile.read(tls.certificate).utf8),
      privateKeyPEM: Array(try TextFile.read(tls.key).utf8))
    var roots: [UInt8]?
    if let authority = tls.authority { roots = Array(try TextFile.read(authority).utf8) }
    return .tls(identity, clientRootsPEM: roots)
  }
}
