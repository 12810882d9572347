/// The status codes of gRPC.
package enum GRPCCode: Int, Sendable, CaseIterable {
  case ok = 0
  case cancelled = 1
  case unknown = 2
  case invalidArgument = 3
  case deadlineExceeded = 4
  case notFound = 5
  case alreadyExists = 6
  case permissionDenied = 7
  case resourceExhausted = 8
  case failedPrecondition = 9
  case aborted = 10
  case outOfRange = 11
  case unimplemented = 12
  case `internal` = 13
  case unavailable = 14
  case dataLoss = 15
  case unauthenticated = 16

  /// As the specification writes it: `DEADLINE_EXCEEDED`.
  package var name: String {
    switch self {
    case .ok: "OK"
    case .cancelled: "CANCELLED"
    case .unknown: "UNKNOWN"
    case .invalidArgument: "INVALID_ARGUMENT"
    case .deadlineExceeded: "DEADLINE_EXCEEDED"
    case .notFound: "NOT_FOUND"
    case .alreadyExists: "ALREADY_EXISTS"
    case .permissionDenied: "PERMISSION_DENIED"
    case .resourceExhausted: "RESOURCE_EXHAUSTED"
    case .failedPrecondition: "FAILED_PRECONDITION"
    case .aborted: "ABORTED"
    case .outOfRange: "OUT_OF_RANGE"
    case .unimplemented: "UNIMPLEMENTED"
    case .internal: "INTERNAL"
    case .unavailable: "UNAVAILABLE"
    case .dataLoss: "DATA_LOSS"
    case .unauthenticated: "UNAUTHENTICATED"
    }
  }
}

/// How a call ended. Handlers throw it to answer with it; clients get it thrown unless it is `ok`.
package struct GRPCStatus: Error, Hashable, Sendable, CustomStringConvertible {
  /// Key under which the details travel.
  package static let detailsKey = "grpc-status-details-bin"

  package var code: GRPCCode
  package var message: String
  /// Metadata sent after the messages, without the details.
  package var metadata: GRPCMetadata
  /// A serialized `google.rpc.Status`; empty for none.
  package var details: [UInt8]

  package static let ok = GRPCStatus(.ok, "")

  package init(
    _ code: GRPCCode, _ message: String, details: [UInt8] = [], metadata: GRPCMetadata = [:]
  ) {
    self.code = code
    self.message = message
    self.details = details
    self.metadata = metadata
  }

  package var description: String { message.isEmpty ? code.name : "\(code.name): \(message)" }

  /// What came from a peer; an unknown code becomes `unknown`, as the specification asks.
  init(rawCode: Int, message: String, trailingMetadata: GRPCMetadata) {
    code = GRPCCode(rawValue: rawCode) ?? .unknown
    self.message = message
    metadata = trailingMetadata
    details = metadata.removeAll(Self.detailsKey).last ?? []
  }

  /// The metadata with the details in it.
  var trailingMetadata: GRPCMetadata {
    guard !details.isEmpty else { return metadata }
    var all = metadata
    all.add(Self.detailsKey, details)
    return all
  }
}

/// An error that knows with which status it is answered.
package protocol GRPCStatusConvertible: Error {
  var grpcStatus: GRPCStatus { get }
}

extension GRPCStatus {
  /// The status with which a handler's error is answered.
  init(answering error: any Error) {
    switch error {
    case let status as GRPCStatus: self = status
    case let error as any GRPCStatusConvertible: self = error.grpcStatus
    case is CancellationError: self.init(.cancelled, "the call was cancelled")
    default: self.init(.unknown, String(describing: error))
    }
  }
}
