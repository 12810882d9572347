/// Why a command did not do its work, with the exit code that says so to scripts.
package struct CommandFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The exit codes of both programs.
  package enum Exit: Int32, Sendable {
    case done = 0
    case failed = 1
    case usage = 2
    case notFound = 3
    case unreachable = 4
  }

  package var exit: Exit
  package var message: String

  package init(_ exit: Exit, _ message: String) {
    self.exit = exit
    self.message = message
  }

  /// `address` is where the daemon was expected.
  init(_ failure: CallFailure, address: String) {
    switch failure.code {
    case .notFound: self.init(.notFound, failure.message)
    case .invalidArgument: self.init(.usage, failure.message)
    case .unavailable:
      self.init(
        .unreachable,
        "the daemon at \(address) does not answer (\(failure.message)); is it running? Start it "
          + "with galleonfs -d, or name another with --daemon-address")
    case .unauthenticated:
      self.init(
        .failed, "\(failure.message); give the file with the token by --auth-token-file")
    case .deadlineExceeded:
      self.init(
        .failed, "the daemon at \(address) did not answer in time; --timeout allows longer")
    case .unimplemented:
      self.init(.failed, "the daemon at \(address) does not know this call; is it older?")
    case .alreadyExists, .permissionDenied, .failedPrecondition, .other:
      self.init(.failed, failure.message)
    }
  }

  package var description: String { message }
}
