/// Where the daemon's settings come from; kept so that SIGHUP can read them again.
package struct ConfigurationSources: Sendable {
  package var flags: [Setting: String]
  package var environment: [String: String]
  /// Path of the configuration file, if there is one.
  package var path: String?

  package init(flags: [Setting: String], environment: [String: String], path: String?) {
    self.flags = flags
    self.environment = environment
    self.path = path ?? environment["GALLEONFS_CONFIG"]
  }

  /// Reads the file and merges. Throws `Refusal` with all that is wrong.
  package func load() throws(Refusal) -> DaemonConfiguration {
    var file: [Setting: SettingValue] = [:]
    if let path {
      file = try ConfigurationFile.parse(try TextFile.read(path), path: path)
    }
    return try DaemonConfiguration(flags: flags, environment: environment, file: file)
  }
}
