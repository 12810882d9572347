/// One thing that can be set, by its place in the configuration file: `section.key`.
package enum Setting: String, CaseIterable, Sendable {
  case storagePath = "daemon.storage_path"
  case blockSize = "daemon.block_size"
  case bindAddress = "daemon.bind_address"
  case ipcAddress = "daemon.ipc_address"
  case mountPoint = "daemon.mount_point"
  case nodeName = "daemon.node_name"
  case zone = "daemon.zone"
  case diskType = "daemon.disk_type"
  case csiEndpoint = "daemon.csi_endpoint"
  case httpAddress = "daemon.http_address"
  case logLevel = "daemon.log_level"
  case peerAddresses = "cluster.peer_addresses"
  case autoJoin = "cluster.auto_join"
  case healthCheckInterval = "cluster.health_check_interval"
  case etcdEndpoints = "cluster.etcd_endpoints"
  case replicationStrategy = "replication.strategy"
  case minimumReplicas = "replication.min_replicas"
  case maximumReplicas = "replication.max_replicas"
  case persistenceLevel = "persistence.level"
  case journalSize = "persistence.journal_size"
  case checkpointInterval = "persistence.checkpoint_interval"
  case encryptionAtRest = "security.encryption_at_rest"
  case tlsEnabled = "security.tls_enabled"
  case tlsCertificateFile = "security.tls_certificate_file"
  case tlsKeyFile = "security.tls_key_file"
  case tlsAuthorityFile = "security.tls_ca_file"
  case authRequired = "security.auth_required"
  case authTokenFile = "security.auth_token_file"
  case insecure = "security.insecure"

  /// What a value looks like in the file; on flags and in the environment all are text.
  package enum Kind: Sendable {
    case text
    case number
    /// A number of bytes or a text such as `256MB`.
    case size
    case truth
    case list
  }

  package var section: String { String(rawValue.prefix { $0 != "." }) }
  package var key: String { String(rawValue.drop { $0 != "." }.dropFirst()) }

  /// The long option, without dashes.
  package var flag: String {
    switch self {
    case .replicationStrategy: "replication-strategy"
    case .persistenceLevel: "persistence-level"
    default: key.replacing("_", with: "-")
    }
  }

  /// The variables that are looked at, the first that is set wins.
  package var environmentNames: [String] {
    let own = "GALLEONFS_" + flag.replacing("-", with: "_").uppercased()
    switch self {
    case .logLevel: return ["GALLEONFS_LOG"]
    case .csiEndpoint: return ["CSI_ENDPOINT", own]
    case .nodeName: return ["NODE_NAME", own]
    default: return [own]
    }
  }

  package var kind: Kind {
    switch self {
    case .peerAddresses, .etcdEndpoints: .list
    case .journalSize, .blockSize: .size
    case .healthCheckInterval, .minimumReplicas, .maximumReplicas, .checkpointInterval: .number
    case .autoJoin, .encryptionAtRest, .tlsEnabled, .authRequired, .insecure: .truth
    default: .text
    }
  }

  /// The value when nobody says otherwise, as text; nil means unset.
  package var defaultText: String? {
    switch self {
    case .storagePath: "./galleonfs_storage"
    case .blockSize: "4096"
    case .bindAddress: "127.0.0.1:8080"
    case .ipcAddress: "127.0.0.1:8090"
    case .logLevel: "info"
    case .autoJoin: "true"
    case .healthCheckInterval: "30"
    case .replicationStrategy: "synchronous"
    case .minimumReplicas: "1"
    case .maximumReplicas: "5"
    case .persistenceLevel: "enhanced"
    case .journalSize: "256MB"
    case .checkpointInterval: "300"
    case .tlsEnabled, .authRequired, .insecure: "false"
    default: nil
    }
  }

  /// One line for the help of the command line.
  package var help: String {
    switch self {
    case .storagePath: "Directory of the pool, the keys and etcd's data."
    case .blockSize: "Block size of new volumes: a power of two from 4K to 64K."
    case .bindAddress: "Address of the storage service, for other nodes."
    case .ipcAddress: "Address of the control API that the commands talk to; port 0 takes any."
    case .mountPoint: "Mount every volume at DIR/<name> as soon as it exists."
    case .nodeName: "Name of this node; the host's name unless set."
    case .zone: "Zone of this node, for placement and topology."
    case .diskType: "What the pool lies on: ssd, nvme or hdd."
    case .csiEndpoint: "Serve CSI on this Unix socket, such as unix:///csi/csi.sock."
    case .httpAddress: "Serve /healthz, /readyz and /metrics here."
    case .logLevel: "trace, debug, info, notice, warning, error or critical."
    case .peerAddresses: "Other nodes, separated by commas."
    case .autoJoin: "Join the cluster of the peers at the start."
    case .healthCheckInterval: "Seconds between checks of the peers."
    case .etcdEndpoints: "Use this etcd instead of starting one, separated by commas."
    case .replicationStrategy: "Default for new volumes: synchronous or asynchronous."
    case .minimumReplicas: "The fewest replicas that a volume may ask for."
    case .maximumReplicas: "The most replicas that a volume may ask for."
    case .persistenceLevel: "basic, enhanced, high or maximum."
    case .journalSize: "Size of the pool's journal, 16M to 64G."
    case .checkpointInterval: "Seconds between checkpoints, 1 to 86400."
    case .encryptionAtRest:
      "true encrypts every new volume, false refuses classes that encrypt; unset obeys the class."
    case .tlsEnabled: "Serve the control API with TLS."
    case .tlsCertificateFile: "Certificate chain of the server, PEM."
    case .tlsKeyFile: "Private key of the server, PEM, mode 0600."
    case .tlsAuthorityFile: "Demand client certificates signed by this authority, PEM."
    case .authRequired: "Demand the bearer token on every call of the control API."
    case .authTokenFile: "File with the bearer token, mode 0600."
    case .insecure: "Allow addresses beyond loopback without TLS and authentication."
    }
  }
}

/// A setting's value before it is checked, with where it came from.
package struct SettingValue: Hashable, Sendable {
  package enum Source: Hashable, Sendable, CustomStringConvertible {
    case flag(String)
    case environment(String)
    case file(String)
    case preset

    package var description: String {
      switch self {
      case .flag(let name): "--\(name)"
      case .environment(let name): "\(name) in the environment"
      case .file(let path): path
      case .preset: "default"
      }
    }
  }

  package var text: String
  /// The items, where the setting is a list.
  package var items: [String]
  package var source: Source

  package init(_ text: String, from source: Source) {
    self.text = text
    items = text.split(separator: ",").map { item in
      String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }.filter { !$0.isEmpty }
    self.source = source
  }

  package init(items: [String], from source: Source) {
    text = items.joined(separator: ",")
    self.items = items
    self.source = source
  }
}

extension Setting {
  /// SIGHUP takes a new value over; all else needs a restart.
  package var isReloadable: Bool { self == .logLevel }
}
