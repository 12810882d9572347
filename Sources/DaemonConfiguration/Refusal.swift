/// Why something that was asked for is not done: a kind for machines, a sentence for people.
///
/// The kinds are the whole vocabulary of failure above the node runtime; one file each maps them
/// to gRPC codes and to exit codes.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable, CaseIterable {
    /// What was asked is malformed, whatever the state of the system.
    case invalid
    /// A size or number is beyond what there is.
    case outOfRange
    case notFound
    case alreadyExists
    /// Well formed, but the state of the system forbids it.
    case precondition
    /// Another operation on the same thing is under way: try again.
    case busy
    /// A part that is needed does not answer: try again later.
    case unavailable
    /// No room is left.
    case exhausted
    /// The caller has not shown the token.
    case unauthenticated
    /// A fault of ours, or of the disk.
    case `internal`
  }

  package var kind: Kind
  /// What failed, with which values, and what to do.
  package var message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  package static func invalid(_ message: String) -> Refusal { Refusal(.invalid, message) }
  package static func notFound(_ message: String) -> Refusal { Refusal(.notFound, message) }
  package static func precondition(_ message: String) -> Refusal {
    Refusal(.precondition, message)
  }

  package var description: String { message }
}
