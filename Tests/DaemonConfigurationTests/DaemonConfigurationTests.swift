import StorageModel
import Testing

@testable import DaemonConfiguration

@Suite struct DaemonConfigurationTests {
  /// The file that the service always had, as far as one node can honour it.
  static let sample = """
    [daemon]
    storage_path = "/var/lib/galleonfs"
    block_size = 8192
    bind_address = "127.0.0.1:9080"
    ipc_address = "127.0.0.1:9090"
    mount_point = "/mnt/galleonfs"

    [cluster]
    peer_addresses = []
    auto_join = true
    health_check_interval = 30

    [replication]
    strategy = "synchronous"
    min_replicas = 1
    max_replicas = 5

    [persistence]
    level = "basic"
    journal_size = "128MB"
    checkpoint_interval = 60

    [security]
    encryption_at_rest = true
    tls_enabled = false
    auth_required = false
    """

  private func configuration(
    _ flags: [Setting: String] = [:], _ environment: [String: String] = [:], file: String = ""
  ) throws -> DaemonConfiguration {
    try DaemonConfiguration(
      flags: flags, environment: environment,
      file: ConfigurationFile.parse(file, path: "daemon.conf"))
  }

  private func refusal(
    _ flags: [Setting: String] = [:], file: String = ""
  ) -> String {
    #expect(throws: Refusal.self) { try configuration(flags, file: file) }?.message ?? ""
  }

  @Test func `the defaults are the documented ones`() throws {
    let found = try configuration()
    #expect(found.storagePath == "./galleonfs_storage")
    #expect(found.blockSize.byteCount == 4096)
    #expect(found.bindAddress.description == "127.0.0.1:8080")
    #expect(found.ipcAddress.description == "127.0.0.1:8090")
    #expect(found.peerAddresses.isEmpty && found.etcdEndpoints.isEmpty)
    #expect(found.replicationStrategy == .synchronous)
    #expect(found.persistenceLevel == .enhanced)
    #expect(found.mountPoint == nil && found.httpAddress == nil && found.csiSocketPath == nil)
    #expect(found.journalByteCount == 256 << 20)
    #expect(found.checkpointInterval == .seconds(300))
    #expect(found.healthCheckInterval == .seconds(30))
    #expect(found.encryption == .byClass)
    #expect(found.logLevel == .info)
  }

  @Test func `the sample file is understood`() throws {
    let found = try configuration(file: Self.sample)
    #expect(found.storagePath == "/var/lib/galleonfs")
    #expect(found.blockSize.byteCount == 8192)
    #expect(found.mountPoint == "/mnt/galleonfs")
    #expect(found.persistenceLevel == .basic)
    #expect(found.journalByteCount == 128 << 20)
    #expect(found.encryption == .always)
    #expect(found.allowedReplicas == 1...5)
  }

  @Test func `a flag beats the environment, that the file, that the default`() throws {
    let file = "[daemon]\nblock_size = 8192\nlog_level = \"debug\"\nzone = \"from-file\""
    let environment = ["GALLEONFS_BLOCK_SIZE": "16K", "GALLEONFS_LOG": "error"]
    let found = try configuration([.blockSize: "32K"], environment, file: file)
    #expect(found.blockSize.byteCount == 32 << 10)
    #expect(found.logLevel == .error)
    #expect(found.zone == "from-file")
    let sources = Dictionary(uniqueKeysWithValues: found.rows.map { ($0.key, $0.source) })
    #expect(sources["daemon.block_size"] == "--block-size")
    #expect(sources["daemon.log_level"] == "GALLEONFS_LOG in the environment")
    #expect(sources["daemon.zone"] == "daemon.conf")
    #expect(sources["daemon.ipc_address"] == "default")
  }

  @Test func `the variables of Kubernetes are read`() throws {
    let found = try configuration([:], ["NODE_NAME": "n1", "CSI_ENDPOINT": "unix:///csi/csi.sock"])
    #expect(found.nodeName == "n1")
    #expect(found.csiSocketPath == "/csi/csi.sock")
  }

  @Test(arguments: [
    ("[daemon]\nstorag_path = \"x\"", "storage_path"), ("[daemn]\n", "daemon"),
    ("[daemon]\njournal_size = \"1G\"", "[persistence]"), ("block_size = 1", "[daemon]"),
    ("[daemon]\nxyzzy = 1", "known are:"),
  ])
  func `an unknown key is refused with the nearest known one`(file: String, hint: String) {
    #expect(refusal(file: file).contains(hint))
  }

  @Test func `bad TOML is refused with its line`() {
    #expect(refusal(file: "[daemon]\nblock_size = = 3").contains("line 2"))
  }

  @Test(arguments: [
    "[daemon]\nblock_size = true", "[daemon]\nstorage_path = 3",
    "[cluster]\nauto_join = \"true\"", "[cluster]\npeer_addresses = \"a:1\"",
    "[cluster]\npeer_addresses = [1]", "[cluster]\nhealth_check_interval = \"30\"",
  ])
  func `a value of the wrong type is refused`(file: String) {
    #expect(refusal(file: file).contains("must be"))
  }

  @Test(
    arguments: [
      (.blockSize, "5000"), (.blockSize, "2K"), (.blockSize, "128K"), (.blockSize, "-4096"),
      (.blockSize, "99999999999999999999"), (.bindAddress, "nowhere"), (.journalSize, "1M"),
      (.journalSize, "many"), (.checkpointInterval, "0"), (.checkpointInterval, "1.5"),
      (.replicationStrategy, "sometimes"), (.persistenceLevel, "super"), (.logLevel, "loud"),
      (.nodeName, "../x"), (.csiEndpoint, "tcp://1.2.3.4:5"), (.csiEndpoint, "unix://relative"),
      (.minimumReplicas, "0"), (.maximumReplicas, "8"), (.tlsEnabled, "perhaps"),
      (.diskType, "tape"), (.etcdEndpoints, "https://127.0.0.1:2379"),
      (.etcdEndpoints, "http://nowhere"), (.storagePath, ""),
    ] as [(Setting, String)])
  func `a bad value is refused with its setting`(setting: Setting, text: String) {
    #expect(refusal([setting: text]).contains(setting.key))
  }

  @Test func `everything wrong is told at once`() {
    let message = refusal([.blockSize: "5000", .persistenceLevel: "super"])
    #expect(message.contains("block_size") && message.contains("level"))
  }

  @Test(
    arguments: [
      (.peerAddresses, "10.0.1.10:8081"), (.persistenceLevel, "high"),
      (.persistenceLevel, "maximum"), (.minimumReplicas, "2"),
    ] as [(Setting, String)])
  func `what needs several nodes is refused clearly`(setting: Setting, text: String) {
    #expect(refusal([setting: text]).contains("needs several nodes"))
  }

  @Test(arguments: [Setting.bindAddress, .ipcAddress, .httpAddress])
  func `an address beyond loopback needs protection or the word insecure`(setting: Setting) throws {
    #expect(refusal([setting: "0.0.0.0:8080"]).contains("--insecure"))
    let open = try configuration([setting: "0.0.0.0:8080", .insecure: "true"])
    #expect(open.remarks.contains { $0.hasPrefix("insecure") })
    let guarded = try configuration([
      setting: "0.0.0.0:8080", .tlsEnabled: "true", .tlsCertificateFile: "c", .tlsKeyFile: "k",
      .authRequired: "true", .authTokenFile: "t",
    ])
    #expect(guarded.tls?.certificate == "c")
    #expect(guarded.authTokenFile == "t")
    let half: [Setting: String] = [
      setting: "0.0.0.0:8080", .authRequired: "true", .authTokenFile: "t",
    ]
    #expect(refusal(half).contains("--insecure"))
  }

  @Test func `protection without its files is refused`() {
    #expect(refusal([.tlsEnabled: "true"]).contains("--tls-certificate-file"))
    #expect(refusal([.authRequired: "true"]).contains("--auth-token-file"))
  }

  @Test func `the default persistence level is accepted and explained`() throws {
    #expect(try configuration().remarks.contains { $0.contains("one pool") })
  }
}
