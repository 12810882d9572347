package import ArgumentParser
package import DaemonConfiguration

/// How the output of a command looks.
package enum OutputFormat: String, CaseIterable, Sendable, ExpressibleByArgument {
  case table, json, yaml
}

/// Options of every command that talks to the daemon.
package struct ConnectionOptions: ParsableArguments {
  package static let addressVariable = "GALLEONFS_DAEMON"

  @Option(
    help: ArgumentHelp(
      "Control API of the daemon [env: \(addressVariable), default: 127.0.0.1:8090].",
      valueName: "host:port"))
  package var daemonAddress: String?

  @Option(
    help: ArgumentHelp(
      "File with the bearer token [env: GALLEONFS_AUTH_TOKEN_FILE].", valueName: "file"))
  package var authTokenFile: String?

  @Option(
    help: ArgumentHelp(
      "Talk TLS and trust this authority [env: GALLEONFS_TLS_CA_FILE].", valueName: "file"))
  package var tlsCaFile: String?

  @Option(help: ArgumentHelp("Seconds to wait for the answer.", valueName: "seconds"))
  package var timeout: Int = 120

  package init() {}

  package func validate() throws {
    guard (1...86_400).contains(timeout) else {
      throw ValidationError("--timeout must be a number of seconds from 1 to 86400")
    }
  }

  /// Options beat the environment, that beats `parent` (options given before the noun).
  func endpoint(environment: [String: String]) throws(CommandFailure) -> DaemonEndpoint {
    let text = daemonAddress ?? environment[Self.addressVariable] ?? "127.0.0.1:8090"
    do throws(Refusal) {
      return DaemonEndpoint(
        address: try NetworkAddress(parsing: text, what: "daemon address"),
        tokenFile: authTokenFile ?? environment["GALLEONFS_AUTH_TOKEN_FILE"],
        authorityFile: tlsCaFile ?? environment["GALLEONFS_TLS_CA_FILE"],
        timeout: .seconds(timeout))
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }
}

/// Where the daemon is and how it is to be talked to.
package struct DaemonEndpoint: Hashable, Sendable {
  package var address: NetworkAddress
  package var tokenFile: String?
  package var authorityFile: String?
  package var timeout: Duration
}

/// Connection and output, for all commands but `volume mount`, whose `-o` means mount options.
package struct ClientOptions: ParsableArguments {
  @OptionGroup package var connection: ConnectionOptions

  @Option(name: [.short, .long], help: "table, json or yaml.")
  package var output: OutputFormat = .table

  package init() {}
}
