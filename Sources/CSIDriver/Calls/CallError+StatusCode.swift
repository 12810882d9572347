import DaemonConfiguration
package import GRPC
import NodeRuntime
import StorageModel

// The one table from domain errors to gRPC, for all CSI services.
extension CallError: GRPCStatusConvertible {
  package var grpcStatus: GRPCStatus { GRPCStatus(statusCode, message) }

  package var statusCode: GRPCCode {
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

  private static func code(of kind: Refusal.Kind) -> GRPCCode {
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

  private static func code(of error: NodeError) -> GRPCCode {
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

  private static func code(of error: StoreError) -> GRPCCode {
    switch error {
    case .noSpace, .poolFull: .resourceExhausted
    case .corrupt: .dataLoss
    case .io: .internal
    case .invalid: .invalidArgument
    case .readOnly: .failedPrecondition
    }
  }
}
