/// Carries one call of the control API to a daemon and its answer back.
package protocol ControlTransport: Sendable {
  /// `path` is the method as HTTP/2 names it: `/galleonfs.v1.Volumes/Create`.
  func call(path: String, request: [UInt8]) async throws(CallFailure) -> [UInt8]
}

/// Why a call has no answer.
package struct CallFailure: Error, Hashable, Sendable {
  /// The codes of gRPC (grpc/status.h) that matter to commands.
  package enum Code: Int, Sendable {
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case failedPrecondition = 9
    case unimplemented = 12
    case unavailable = 14
    case unauthenticated = 16
    case other = 2

    package init(_ number: Int) { self = Code(rawValue: number) ?? .other }
  }

  package var code: Code
  package var message: String

  package init(code: Code, message: String) {
    self.code = code
    self.message = message
  }
}
