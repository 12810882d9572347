package import DaemonConfiguration
package import NodeRuntime

/// Why a CSI call fails; `CallError+StatusCode` maps it to gRPC.
package enum CallError: Error, Hashable, Sendable {
  case refused(Refusal)
  case node(NodeError)
  /// The call belongs to a capability that is not advertised; the text names it.
  case unimplemented(String)
  /// The time that the caller gave is over; what was begun goes on.
  case deadlineExceeded(String)

  package static func invalid(_ message: String) -> CallError { .refused(.invalid(message)) }
  package static func notFound(_ message: String) -> CallError { .refused(.notFound(message)) }
  package static func outOfRange(_ message: String) -> CallError {
    .refused(Refusal(.outOfRange, message))
  }
  package static func alreadyExists(_ message: String) -> CallError {
    .refused(Refusal(.alreadyExists, message))
  }
  package static func precondition(_ message: String) -> CallError {
    .refused(.precondition(message))
  }
  package static func exhausted(_ message: String) -> CallError {
    .refused(Refusal(.exhausted, message))
  }
  /// CSI's ABORTED: another call works on the same thing, or a page token is no longer good.
  package static func aborted(_ message: String) -> CallError {
    .refused(Refusal(.busy, message))
  }

  /// True for NOT_FOUND.
  var isNotFound: Bool {
    switch self {
    case .refused(let refusal): refusal.kind == .notFound
    case .node(.volumeNotFound): true
    case .node, .unimplemented, .deadlineExceeded: false
    }
  }
}
