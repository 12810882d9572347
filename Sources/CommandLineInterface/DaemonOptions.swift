package import ArgumentParser
package import DaemonConfiguration

/// All flags of the daemon; each is one `Setting`.
package struct DaemonOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Configuration file, TOML [env: GALLEONFS_CONFIG].", valueName: "file"))
  package var config: String?

  @Option(help: help(.storagePath)) var storagePath: String?
  @Option(help: help(.blockSize)) var blockSize: String?
  @Option(help: help(.bindAddress)) var bindAddress: String?
  @Option(help: help(.ipcAddress)) var ipcAddress: String?
  @Option(help: help(.mountPoint)) var mountPoint: String?
  @Option(help: help(.nodeName)) var nodeName: String?
  @Option(help: help(.zone)) var zone: String?
  @Option(help: help(.diskType)) var diskType: String?
  @Option(help: help(.csiEndpoint)) var csiEndpoint: String?
  @Option(help: help(.httpAddress)) var httpAddress: String?
  @Option(help: help(.logLevel)) var logLevel: String?
  @Option(help: help(.peerAddresses)) var peerAddresses: [String] = []
  @Option(help: help(.autoJoin)) var autoJoin: String?
  @Option(help: help(.healthCheckInterval)) var healthCheckInterval: String?
  @Option(help: help(.etcdEndpoints)) var etcdEndpoints: [String] = []
  @Option(help: help(.replicationStrategy)) var replicationStrategy: String?
  @Option(help: help(.minimumReplicas)) var minReplicas: String?
  @Option(help: help(.maximumReplicas)) var maxReplicas: String?
  @Option(help: help(.persistenceLevel)) var persistenceLevel: String?
  @Option(help: help(.journalSize)) var journalSize: String?
  @Option(help: help(.checkpointInterval)) var checkpointInterval: String?
  @Option(help: help(.encryptionAtRest)) var encryptionAtRest: String?
  @Flag(help: help(.tlsEnabled)) var tlsEnabled = false
  @Option(help: help(.tlsCertificateFile)) var tlsCertificateFile: String?
  @Option(help: help(.tlsKeyFile)) var tlsKeyFile: String?
  @Option(help: help(.tlsAuthorityFile)) var tlsCaFile: String?
  @Flag(help: help(.authRequired)) var authRequired = false
  @Option(help: help(.authTokenFile)) var authTokenFile: String?
  @Flag(help: help(.insecure)) var insecure = false

  package init() {}

  /// What was given on the command line.
  package var flags: [Setting: String] {
    var flags: [Setting: String] = [:]
    for setting in Setting.allCases { flags[setting] = text(of: setting) }
    return flags
  }

  private func text(of setting: Setting) -> String? {
    switch setting {
    case .storagePath: storagePath
    case .blockSize: blockSize
    case .bindAddress: bindAddress
    case .ipcAddress: ipcAddress
    case .mountPoint: mountPoint
    case .nodeName: nodeName
    case .zone: zone
    case .diskType: diskType
    case .csiEndpoint: csiEndpoint
    case .httpAddress: httpAddress
    case .logLevel: logLevel
    case .peerAddresses: peerAddresses.isEmpty ? nil : peerAddresses.joined(separator: ",")
    case .autoJoin: autoJoin
    case .healthCheckInterval: healthCheckInterval
    case .etcdEndpoints: etcdEndpoints.isEmpty ? nil : etcdEndpoints.joined(separator: ",")
    case .replicationStrategy: replicationStrategy
    case .minimumReplicas: minReplicas
    case .maximumReplicas: maxReplicas
    case .persistenceLevel: persistenceLevel
    case .journalSize: journalSize
    case .checkpointInterval: checkpointInterval
    case .encryptionAtRest: encryptionAtRest
    case .tlsEnabled: tlsEnabled ? "true" : nil
    case .tlsCertificateFile: tlsCertificateFile
    case .tlsKeyFile: tlsKeyFile
    case .tlsAuthorityFile: tlsCaFile
    case .authRequired: authRequired ? "true" : nil
    case .authTokenFile: authTokenFile
    case .insecure: insecure ? "true" : nil
    }
  }

  private static func help(_ setting: Setting) -> ArgumentHelp {
    var notes: [String] = []
    if let name = setting.environmentNames.first { notes.append("env: \(name)") }
    if let text = setting.defaultText { notes.append("default: \(text)") }
    return ArgumentHelp("\(setting.help) [\(notes.joined(separator: ", "))]")
  }
}
