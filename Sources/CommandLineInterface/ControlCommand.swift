internal import ArgumentParser
internal import Glibc

/// A command that asks the daemon and prints its answer.
protocol ControlCommand: AsyncParsableCommand {
  var connection: ConnectionOptions { get }
  var format: OutputFormat { get }

  /// Asks; all that can fail for reasons of the user's is a `CommandFailure`.
  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report
}

extension ControlCommand {
  mutating func run() async throws {
    let endpoint = try connection.endpoint(environment: Environment.all)
    let transport = try GRPCTransport(endpoint)
    let client = ControlClient(transport: transport, address: "\(endpoint.address)")
    try await perform(client).print(as: format)
  }
}

extension Report {
  /// Writes the report to standard output, its warnings to standard error.
  func print(as format: OutputFormat) {
    let whole =
      switch format {
      case .table: text
      case .json: OutputWriter.json(value)
      case .yaml: OutputWriter.yaml(value)
      }
    StandardStream.output.write(whole)
    for warning in warnings { StandardStream.error.write("warning: \(warning)\n") }
  }
}

/// The process's environment, read where commands start.
package enum Environment {
  package static var all: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
      entry = entry.advanced(by: 1)
    }
    return variables
  }
}

/// Where programs write: whole texts, retried until written.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  package func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        return  // nobody listens any more
      }
      bytes = bytes.dropFirst(count)
    }
  }
}
