package import GRPC

/// Why etcd did not do what it was asked.
package enum EtcdError: Error, Hashable, Sendable, CustomStringConvertible {
  /// An endpoint that is no `http://host:port`, `https://host:port` or `host:port`.
  case invalidEndpoint(String)
  /// No endpoint answers: the request reached none. Says the last reason.
  case unreachable(endpoints: [String], reason: String)
  /// The answer did not come in time; nothing was changed by the request.
  case deadline(operation: String)
  /// The connection broke, or time ran out, after a change may have been sent: it may have happened
  /// or not. Read before trying again.
  case interrupted(operation: String, reason: String)
  /// A compare-and-swap met another value than expected; nil for none.
  case conflict(key: String, current: EtcdValue?)
  /// The revisions asked for are gone; `oldest` is the first that can still be had. Read anew.
  case compacted(oldest: Int64)
  /// The lease ended or never was.
  case leaseNotFound(EtcdLeaseID)
  /// etcd refused, with its own words.
  case refused(operation: String, GRPCStatus)
  /// An answer that does not fit the request.
  case malformed(operation: String, reason: String)
  /// The task was cancelled.
  case cancelled(operation: String)

  package var description: String {
    switch self {
    case .invalidEndpoint(let text):
      "etcd endpoint \"\(text)\": expected http://host:port, https://host:port or host:port"
    case .unreachable(let endpoints, let reason):
      "etcd does not answer at \(endpoints.joined(separator: ", ")): \(reason)"
    case .deadline(let operation): "etcd did not answer in time: \(operation)"
    case .interrupted(let operation, let reason):
      "etcd was lost during \(operation), which may have happened or not: \(reason)"
    case .conflict(let key, let current):
      "etcd key \(key) changed meanwhile: it "
        + (current.map { "is at revision \($0.modRevision)" } ?? "does not exist")
    case .compacted(let oldest): "etcd has dropped its history before revision \(oldest)"
    case .leaseNotFound(let lease): "etcd lease \(lease) has ended"
    case .refused(let operation, let status): "etcd refused \(operation): \(status)"
    case .malformed(let operation, let reason):
      "etcd's answer to \(operation) makes no sense: \(reason)"
    case .cancelled(let operation): "cancelled: \(operation)"
    }
  }
}

/// The number of a lease.
package struct EtcdLeaseID: Hashable, Sendable, CustomStringConvertible {
  package let rawValue: Int64

  package init(_ rawValue: Int64) { self.rawValue = rawValue }

  package var description: String { String(UInt64(bitPattern: rawValue), radix: 16) }
}
