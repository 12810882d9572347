internal import StorageModel

extension DaemonConfiguration {
  /// Merges the sources (a flag beats the environment, that beats the file, that beats the
  /// default), checks every value, and refuses with all that is wrong at once.
  package init(
    flags: [Setting: String], environment: [String: String],
    file: [Setting: SettingValue] = [:]
  ) throws(Refusal) {
    var values: [Setting: SettingValue] = [:]
    for setting in Setting.allCases {
      values[setting] = Self.winner(setting, flags: flags, environment: environment, file: file)
    }
    var reader = SettingReader(values: values)
    self.init(reading: &reader)
    checkAddresses(&reader)
    checkSingleNode(&reader)
    if !reader.faults.isEmpty {
      throw .invalid(reader.faults.joined(separator: "\n"))
    }
  }

  private static func winner(
    _ setting: Setting, flags: [Setting: String], environment: [String: String],
    file: [Setting: SettingValue]
  ) -> SettingValue? {
    if let text = flags[setting] { return SettingValue(text, from: .flag(setting.flag)) }
    for name in setting.environmentNames {
      if let text = environment[name], !text.isEmpty {
        return SettingValue(text, from: .environment(name))
      }
    }
    return file[setting] ?? setting.defaultText.map { SettingValue($0, from: .preset) }
  }

  private init(reading reader: inout SettingReader) {
    storagePath = reader.text(.storagePath) ?? ""
    blockSize = reader.blockSize(.blockSize)
    let nowhere = NetworkAddress(host: "127.0.0.1", port: 0)
    bindAddress = reader.address(.bindAddress) ?? nowhere
    ipcAddress = reader.address(.ipcAddress) ?? nowhere
    mountPoint = reader.text(.mountPoint)
    nodeName = reader.name(.nodeName)
    zone = reader.name(.zone)
    diskType = reader.choice(.diskType)
    csiSocketPath = reader.socketPath(.csiEndpoint)
    httpAddress = reader.address(.httpAddress)
    logLevel = reader.choice(.logLevel) ?? .info
    peerAddresses = reader.addresses(.peerAddresses)
    autoJoin = reader.truth(.autoJoin) ?? true
    healthCheckInterval = .seconds(reader.number(.healthCheckInterval, in: 1...3600))
    etcdEndpoints = reader.endpoints(.etcdEndpoints)
    replicationStrategy = reader.choice(.replicationStrategy) ?? .synchronous
    let minimum = reader.number(.minimumReplicas, in: 1...Self.mostReplicas)
    let maximum = reader.number(.maximumReplicas, in: 1...Self.mostReplicas)
    allowedReplicas = min(minimum, maximum)...max(minimum, maximum)
    if minimum > maximum {
      reader.fault(.minimumReplicas, "must not be more than max_replicas = \(maximum)")
    }
    persistenceLevel = reader.choice(.persistenceLevel) ?? .enhanced
    journalByteCount = reader.size(.journalSize, in: Self.journalByteCounts)
    checkpointInterval = .seconds(reader.number(.checkpointInterval, in: 1...86_400))
    encryption = reader.truth(.encryptionAtRest).map { $0 ? .always : .never } ?? .byClass
    tls = reader.tls()
    let demandsToken = reader.truth(.authRequired) ?? false
    authTokenFile = demandsToken ? reader.text(.authTokenFile) : nil
    if demandsToken, authTokenFile == nil {
      reader.fault(.authRequired, "needs --auth-token-file FILE with the token, mode 0600")
    }
    isInsecure = reader.truth(.insecure) ?? false
    values = reader.values
    if storagePath.isEmpty { reader.fault(.storagePath, "must not be empty") }
  }

  /// More replicas than this help nobody and slow every write.
  package static let mostReplicas = 7
  /// Below, checkpoints would follow one another; above, recovery would take minutes.
  package static let journalByteCounts: ClosedRange<UInt64> = 16 << 20...64 << 30

  private func checkAddresses(_ reader: inout SettingReader) {
    guard !isInsecure, tls == nil || authTokenFile == nil else { return }
    for exposed in exposedAddresses {
      guard let setting = Setting.allCases.first(where: { $0.flag == exposed.flag }) else {
        continue
      }
      reader.fault(
        setting,
        "can be reached from other machines; turn on tls_enabled and auth_required, or say "
          + "--insecure to allow anyone who reaches it to use it")
    }
  }

  /// What needs several nodes is understood, and refused until they can work together.
  private func checkSingleNode(_ reader: inout SettingReader) {
    if !peerAddresses.isEmpty {
      reader.fault(
        .peerAddresses, "needs several nodes, which this version cannot join yet; leave it out")
    }
    switch persistenceLevel {
    case .basic, .enhanced: break
    case .high, .maximum:
      reader.fault(
        .persistenceLevel,
        "needs several nodes, which this version cannot join yet; use basic or enhanced")
    }
    if allowedReplicas.lowerBound > 1 {
      reader.fault(
        .minimumReplicas,
        "needs several nodes, which this version cannot join yet; leave it at 1")
    }
  }
}
