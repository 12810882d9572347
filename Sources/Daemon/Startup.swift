internal import ClusterControl
internal import ControlAPI
internal import DaemonConfiguration
internal import GRPC
internal import Glibc
internal import LinuxHost
internal import Logging
internal import NodeRuntime
internal import StorageModel

/// Starts the daemon's parts in order; each notes how it is ended.
///
/// ```
/// storage lock ─▶ etcd ─▶ mount keeper ─▶ node ─▶ catalogue ─▶ HTTP ─▶ control API ─▶ CSI ─▶ mounts
/// ```
struct Startup {
  let configuration: DaemonConfiguration
  let configurationPath: String
  var teardown = Teardown()
  private let logger = Logger(label: "galleonfs.daemon")

  init(configuration: DaemonConfiguration, configurationPath: String) {
    self.configuration = configuration
    self.configurationPath = configurationPath
  }

  mutating func run() async throws(Refusal) -> DaemonProcess {
    let storage = try StorageDirectory(configuration.storagePath)
    teardown.add("storage lock") { _ in withExtendedLifetime(storage) {} }
    let token = try readToken()
    let etcd = try startEtcd(storage)
    let process = try makeProcess(storage, etcd)
    let node = try await openNode(process)
    let store = EtcdStore(endpoints: { [configuration] in
      etcd.map { [$0.endpoint] } ?? configuration.etcdEndpoints
    })
    let catalog = VolumeCatalog(store)
    let mounter = try makeAutoMounter(node, catalog, process)
    let controller = VolumeController(
      catalog: catalog, host: LocalReplicaHost(node, autoMounter: mounter),
      nodeID: process.facts.nodeID, configuration: configuration,
      now: { ProcessFigures.now() })
    let calls = CallStatistics()
    try await startHTTP(node, controller.catalog, process, calls, etcd, token)
    await join(Membership(controller: controller, node: node, process: process))
    let context = ControlContext(
      node: node, controller: controller, daemon: process, autoMounter: mounter)
    try startControl(context, process, calls, token)
    try startCSI(node, controller, process, calls)
    if let mounter {
      await mounter.start()
      teardown.add("automount") { _ in await mounter.stop() }
    }
    process.enter(.ready)
    return process
  }

  private func readToken() throws(Refusal) -> String? {
    guard let path = configuration.authTokenFile else { return nil }
    return try TextFile.readSecret(path)
  }

  private mutating func startEtcd(_ storage: StorageDirectory) throws(Refusal) -> EtcdSupervisor? {
    guard configuration.etcdEndpoints.isEmpty else { return nil }
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    let etcd = try EtcdSupervisor(storagePath: storage.path, searchPath: path)
    try etcd.start()
    teardown.add("etcd") { _ in await HostThread.run("etcd-stop") { etcd.stop() } }
    return etcd
  }

  private func makeProcess(_ storage: StorageDirectory, _ etcd: EtcdSupervisor?) throws(Refusal)
    -> DaemonProcess
  {
    let facts = DaemonFacts(
      version: ProgramVersion.current, nodeName: configuration.nodeName ?? Self.hostName,
      nodeID: try storage.nodeID().description, clusterID: "", processID: getpid(),
      startedAt: ProcessFigures.now(), ipcAddress: "", httpAddress: "",
      configurationPath: configurationPath,
      etcdEndpoints: etcd.map { [$0.endpoint] } ?? configuration.etcdEndpoints,
      etcdIsManaged: etcd != nil)
    if let fault = VolumeName.fault(in: facts.nodeName) {
      throw .invalid(
        "the node's name \"\(facts.nodeName)\" is not allowed: \(fault); set --node-name")
    }
    return DaemonProcess(facts: facts, configuration: configuration)
  }

  private static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    gethostname(&buffer, buffer.count - 1)
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private mutating func openNode(_ process: DaemonProcess) async throws(Refusal) -> Node {
    let keeper = MountKeeperProcess(storagePath: configuration.storagePath)
    let isKept = keeper.start()
    teardown.add("mount keeper") { _ in
      if !process.leavesMounts { await HostThread.run("keeper-stop") { keeper.stop() } }
    }
    let nodeConfiguration = NodeConfiguration(
      storagePath: configuration.storagePath,
      pool: PoolConfiguration(
        journalByteCount: Int(configuration.journalByteCount),
        checkpointInterval: configuration.checkpointInterval),
      keeperSocketPath: isKept ? keeper.socketPath : nil)
    let opening = await HostThread.run("node-open") { Self.open(nodeConfiguration) }
    switch opening {
    case .success(let node):
      teardown.add("node") { _ in await node.shutdown(leavingMounts: process.leavesMounts) }
      return node
    case .failure(let error): throw Refusal(error)
    }
  }

  private static func open(_ configuration: NodeConfiguration) -> Result<Node, NodeError> {
    do throws(NodeError) {
      return .success(try Node(configuration, logger: Logger(label: "galleonfs.node")))
    } catch {
      return .failure(error)
    }
  }

  private mutating func join(_ membership: Membership) async {
    // Volumes are served from the pool; a configuration that is away only makes changes wait.
    if let trouble = await membership.join(patience: .seconds(5)) {
      logger.error("etcd is away", metadata: ["error": "\(trouble)"])
      let task = Task { await membership.keepTrying() }
      teardown.add("membership") { _ in task.cancel() }
    }
  }

  private mutating func startHTTP(
    _ node: Node, _ catalog: VolumeCatalog, _ process: DaemonProcess, _ calls: CallStatistics,
    _ etcd: EtcdSupervisor?, _ token: String?
  ) async throws(Refusal) {
    guard let address = configuration.httpAddress else { return }
    let collector = MetricsCollector(
      node: node, catalog: catalog, process: process, calls: calls, etcd: etcd)
    let readiness = Readiness(node: node, process: process)
    var answers = HTTPEndpoint.Answers(
      unreadyReason: { await readiness.reason() }, metrics: { await collector.text() })
    if let token { answers.token = { token } }
    let endpoint = try await HTTPEndpoint(address, answers: answers)
    teardown.add("http") { _ in await endpoint.stop() }
    process.update { $0.httpAddress = endpoint.address.description }
  }

  private func makeAutoMounter(
    _ node: Node, _ catalog: VolumeCatalog, _ process: DaemonProcess
  ) throws(Refusal) -> AutoMounter? {
    guard let directory = configuration.mountPoint else { return nil }
    try StorageDirectory.make(directory)
    return AutoMounter(node: node, catalog: catalog, directory: directory, process: process)
  }
}
