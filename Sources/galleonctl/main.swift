import ArgumentParser
import CommandLineInterface
import DaemonConfiguration
import Glibc

/// The commands alone, for the operator's machine.
struct GalleonCtl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "galleonctl", abstract: "Ask and steer a GalleonFS daemon.",
    discussion: """
      The same commands as galleonfs has, without the daemon.

      EXAMPLES
        galleonctl volume list -o yaml
        galleonctl --daemon-address 127.0.0.1:8091 daemon status

      EXIT CODES
        0 done, 1 failed, 2 usage, 3 not found, 4 daemon not reachable
      """,
    version: ProgramVersion.current, subcommands: CommandRunner.nouns)
}

exit(await CommandRunner.run(GalleonCtl.self, Array(CommandLine.arguments.dropFirst())))
