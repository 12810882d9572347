package import StorageModel

/// Every setting of the daemon, checked.
package struct DaemonConfiguration: Hashable, Sendable {
  package var storagePath: String
  package var blockSize: BlockSize
  package var bindAddress: NetworkAddress
  package var ipcAddress: NetworkAddress
  /// Where volumes are mounted by themselves; nil mounts none.
  package var mountPoint: String?
  /// nil takes the host's name.
  package var nodeName: String?
  package var zone: String?
  package var diskType: DiskType?
  /// Path of the Unix socket.
  package var csiSocketPath: String?
  package var httpAddress: NetworkAddress?
  package var logLevel: LogLevel
  package var peerAddresses: [NetworkAddress]
  package var autoJoin: Bool
  package var healthCheckInterval: Duration
  /// Empty: the daemon runs an etcd of its own.
  package var etcdEndpoints: [String]
  package var replicationStrategy: ReplicationStrategy
  package var allowedReplicas: ClosedRange<Int>
  package var persistenceLevel: PersistenceLevel
  package var journalByteCount: UInt64
  package var checkpointInterval: Duration
  package var encryption: EncryptionPolicy
  package var tls: TLSFiles?
  /// Path of the file with the bearer token; nil when none is demanded.
  package var authTokenFile: String?
  package var isInsecure: Bool
  /// What each setting was made from, for `daemon config`.
  package var values: [Setting: SettingValue]

  package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
  }

  package enum DiskType: String, Sendable, CaseIterable {
    case ssd, nvme, hdd
  }

  /// Whether new volumes are encrypted.
  package enum EncryptionPolicy: Sendable {
    /// As their class says.
    case byClass
    /// All of them.
    case always
    /// None: a class that encrypts is refused.
    case never
  }

  /// Paths of PEM files.
  package struct TLSFiles: Hashable, Sendable {
    package var certificate: String
    package var key: String
    /// Client certificates are demanded if set.
    package var authority: String?
  }
}

extension DaemonConfiguration {
  /// One row of `daemon config`.
  package struct Row: Hashable, Sendable {
    package var key: String
    package var value: String
    package var source: String
  }

  /// All settings in the file's order; unset ones have an empty value.
  package var rows: [Row] {
    Setting.allCases.map { setting in
      let value = values[setting]
      return Row(
        key: setting.rawValue, value: value?.text ?? "",
        source: value.map { "\($0.source)" } ?? "default")
    }
  }

  /// Facts that a user should know about what the settings give, in sentences.
  package var remarks: [String] {
    var remarks: [String] = []
    switch persistenceLevel {
    case .basic: break
    case .enhanced:
      remarks.append(
        "persistence level enhanced survives a disk's death only with two pools; this node has "
          + "one pool, so its volumes have the basic level")
    case .high, .maximum: break
    }
    if isInsecure, !exposedAddresses.isEmpty {
      remarks.append(
        "insecure: "
          + exposedAddresses.map { "--\($0.flag) \($0.address)" }.joined(separator: ", ")
          + " can be reached from outside without authentication or encryption")
    }
    return remarks
  }

  /// The addresses that others than this machine can reach.
  package var exposedAddresses: [(flag: String, address: NetworkAddress)] {
    var all = [(Setting.bindAddress.flag, bindAddress), (Setting.ipcAddress.flag, ipcAddress)]
    if let httpAddress { all.append((Setting.httpAddress.flag, httpAddress)) }
    return all.filter { !$0.1.isLoopback }.map { (flag: $0.0, address: $0.1) }
  }
}
