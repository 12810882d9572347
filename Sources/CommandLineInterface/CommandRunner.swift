package import ArgumentParser
internal import DaemonConfiguration

/// Runs a program's command line and gives its exit code.
package enum CommandRunner {
  /// The nouns that both programs share.
  package static let nouns: [any ParsableCommand.Type] = [
    VolumeCommand.self, VFSCommand.self, DaemonCommand.self, StorageClassCommand.self,
    ClusterCommand.self, CSICommand.self,
  ]

  /// `galleonfs --daemon-address A daemon status` means the same as with the option at the end:
  /// leading options of the connection move behind the words of the command.
  package static func reordered(_ arguments: [String]) -> [String] {
    var leading: [String] = []
    var index = 0
    while index < arguments.count {
      let word = arguments[index]
      let name = word.split(separator: "=", maxSplits: 1).first.map(String.init) ?? word
      guard movable.contains(name) else { break }
      leading.append(word)
      index += 1
      if !word.contains("="), index < arguments.count {
        leading.append(arguments[index])
        index += 1
      }
    }
    let rest = arguments[index...]
    guard startsWithNoun(Array(rest)), !leading.isEmpty else { return arguments }
    let end = rest.firstIndex(of: "--") ?? rest.endIndex
    return Array(rest[..<end]) + leading + Array(rest[end...])
  }

  /// Whether the words are a command for a daemon, and not the start of one.
  package static func startsWithNoun(_ words: [String]) -> Bool {
    guard let first = words.first else { return false }
    return nouns.contains { $0.configuration.commandName == first }
  }

  private static let movable: Set<String> = [
    "--daemon-address", "--auth-token-file", "--tls-ca-file", "--timeout", "--output", "-o",
  ]

  /// Exit codes as in `CommandFailure.Exit`; help and versions go to standard output with 0.
  package static func run<Root: ParsableCommand>(
    _ root: Root.Type, _ arguments: [String]
  ) async -> Int32 {
    do {
      var command = try root.parseAsRoot(reordered(arguments))
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      return CommandFailure.Exit.done.rawValue
    } catch {
      return tell(error, root)
    }
  }

  private static func tell<Root: ParsableCommand>(_ error: any Error, _ root: Root.Type) -> Int32 {
    switch error {
    case let failure as CommandFailure:
      StandardStream.error.write("error: \(failure.message)\n")
      return failure.exit.rawValue
    case let refusal as Refusal:
      StandardStream.error.write("error: \(refusal.message)\n")
      return (refusal.kind == .invalid ? CommandFailure.Exit.usage : .failed).rawValue
    default:
      break
    }
    let text = root.fullMessage(for: error)
    if root.exitCode(for: error).isSuccess {
      StandardStream.output.write(text + "\n")
      return CommandFailure.Exit.done.rawValue
    }
    StandardStream.error.write(text.isEmpty ? "" : text + "\n")
    let isUsage = root.exitCode(for: error) == .validationFailure
    return (isUsage ? CommandFailure.Exit.usage : .failed).rawValue
  }
}
