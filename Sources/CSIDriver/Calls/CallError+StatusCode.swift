import DaemonConfiguration
import NodeRuntime
import StorageModel

/// The codes of gRPC that CSI calls answer with; raw values are gRPC's.
package enum StatusCode: Int, Sendable {
  case invalidArgument = 3
  case deadlineExceeded = 4
  case notFound = 5
  case alreadyExists = 6
  case resourceExhausted = 8
  case failedPrecondition = 9
  case aborted = 10
  case outOfRange = 11
  case unimplemented = 12
  case `internal` = 13
  case unavailable = 14
  case dataLoss = 15
  case unauthenticated = 16
}

// The one table from domain errors to gRPC, for all CSI services.
extension CallError {
  package var statusCode: StatusCode {
    switch self {
    case .refused(let refusal): Self.code(of: refusal.kind)
    case .node(let error): Self.code(of: error)
    case .unimplemented: .unimplemented
    case .deadlineExceeded: .deadlineExceeded
    }
  }

  /// What the caller reads: what failed, with which values, and what to do.
  package var message: String {
    switch self {
    case .refused(let refusal): refusal.message
    case .node(let error): error.description
    case .unimplemented(let text), .deadlineExceeded(let text): text
    }
  }

  private static func code(of kind: Refusal.Kind) -> StatusCode {
    switch kind {
    case .invalid: .invalidArgument
    case .outOfRange: .outOfRange
    case .notFound: .notFound
    case .alreadyExists: .alreadyExists
    case .precondition: .failedPrecondition
    case .busy: .aborted
    case .unavailable: .unavailable
    case .exhausted: .resourceExhausted
    case .unauthenticated: .unauthenticated
    case .internal: .internal
    }
  }

  private static func code(of error: NodeError) -> StatusCode {
    switch error {
    case .volumeNotFound: .notFound
    case .volumeExists, .pathOccupied: .alreadyExists
    case .volumeInUse, .notMounted: .failedPrecondition
    case .poolTooSmall, .cannotShrink: .outOfRange
    case .invalid: .invalidArgument
    case .store(let error): code(of: error)
    case .host: .internal
    case .unavailable: .unavailable
    }
  }

  private static func code(of error: StoreError) -> StatusCode {
    switch error {
    case .noSpace, .poolFull: .resourceExhausted
    case .corrupt: .dataLoss
    case .io: .internal
    case .invalid: .invalidArgument
    case .readOnly: .failedPrecondition
    }
  }
}
