import Synchronization

/// What a handler knows of its call, and what it adds to the answer beside messages.
package final class ServerCallContext: Sendable {
  /// The method as the client wrote it: `/csi.v1.Identity/Probe`.
  package let pathText: String
  /// nil when the client's text is not a path.
  package let path: MethodPath?
  /// What the client sent before its messages.
  package let metadata: GRPCMetadata
  /// nil for a call without a bound.
  package let deadline: ContinuousClock.Instant?
  /// Address of the client: `ipv4:127.0.0.1:40122`, `unix:`. Proves nothing.
  package let peer: String
  /// Names in the certificate that the client proved to own: common name, then alternative names.
  package let peerIdentities: [String]

  private struct Answer {
    var initialMetadata: GRPCMetadata = [:]
    var trailingMetadata: GRPCMetadata = [:]
  }

  private let answer = Mutex(Answer())

  init(
    pathText: String, metadata: GRPCMetadata, deadline: ContinuousClock.Instant?, peer: String,
    peerIdentities: [String]
  ) {
    self.pathText = pathText
    path = MethodPath(path: pathText)
    self.metadata = metadata
    self.deadline = deadline
    self.peer = peer
    self.peerIdentities = peerIdentities
  }

  /// Time left until the deadline, not below zero; nil for a call without one.
  package var remainingTime: Duration? {
    deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
  }

  /// Sent with the first message, or with the status.
  package var initialMetadata: GRPCMetadata {
    get { answer.withLock { $0.initialMetadata } }
    set { answer.withLock { $0.initialMetadata = newValue } }
  }

  /// Sent with the status, after that of a thrown status.
  package var trailingMetadata: GRPCMetadata {
    get { answer.withLock { $0.trailingMetadata } }
    set { answer.withLock { $0.trailingMetadata = newValue } }
  }
}
