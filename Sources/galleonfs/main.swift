import ArgumentParser
import CommandLineInterface
import Daemon
import DaemonConfiguration
import Glibc

/// The daemon and the commands that talk to it, in one program.
struct GalleonFS: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "galleonfs",
    abstract: "Container-native replicated storage: the daemon and its commands.",
    discussion: """
      With -d, or with any option of the daemon, it runs the daemon in the
      foreground; with a subcommand it asks a running daemon.

      EXAMPLES
        galleonfs -d --storage-path ./galleon_node1 --mount-point ./mounts
        galleonfs -d --config /etc/galleonfs/daemon.conf
        galleonfs volume create --name web-data --size 1G
        galleonfs --daemon-address 127.0.0.1:8091 daemon status

      EXIT CODES
        0 done, 1 failed, 2 usage, 3 not found, 4 daemon not reachable
      """,
    version: ProgramVersion.current, subcommands: CommandRunner.nouns)

  @Flag(name: [.customShort("d"), .customLong("daemon")], help: "Run the daemon.")
  var daemon = false
  @OptionGroup(title: "Daemon options") var options: DaemonOptions
  @Flag(name: .customLong("demo-mode"), help: .hidden) var demoMode = false
  @Flag(name: .customLong("setup-defaults"), help: .hidden) var setupDefaults = false
  @Flag(name: .customLong("test-replication"), help: .hidden) var testReplication = false

  mutating func run() async throws {
    if demoMode || testReplication {
      throw CommandFailure(
        .usage,
        "there is no demo and no test mode any more; Deploy/quickstart.sh shows and checks "
          + "the whole life of a volume")
    }
    // The classes that --setup-defaults once made exist from the start.
    guard daemon || setupDefaults || options.config != nil || !options.flags.isEmpty else {
      throw CleanExit.helpRequest(self)
    }
    let sources = ConfigurationSources(
      flags: options.flags, environment: Environment.all, path: options.config)
    let code = try await Daemon(sources: sources, arguments: CommandLine.arguments).run()
    if code != 0 { throw ExitCode(code) }
  }
}

/// The commands without the daemon's options, which would take `--mount-point` for themselves.
struct GalleonFSCommands: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "galleonfs", abstract: GalleonFS.configuration.abstract,
    version: ProgramVersion.current, subcommands: CommandRunner.nouns)
}

let words = CommandRunner.reordered(Array(CommandLine.arguments.dropFirst()))
let code =
  if CommandRunner.startsWithNoun(words) {
    await CommandRunner.run(GalleonFSCommands.self, words)
  } else {
    await CommandRunner.run(GalleonFS.self, words)
  }
exit(code)
