/// Looks at every call before its handler and after it: access control, logs, metrics.
package struct ServerInterceptor: Sendable {
  /// Throws the status with which a call is refused. Runs before any message is read, also for
  /// methods that do not exist.
  package let admit: @Sendable (ServerCallContext) async throws -> Void
  /// Told how each call ended and how long it took, refused ones too.
  package let finished: @Sendable (ServerCallContext, GRPCStatus, Duration) -> Void

  package init(
    admit: @escaping @Sendable (ServerCallContext) async throws -> Void = { _ in },
    finished: @escaping @Sendable (ServerCallContext, GRPCStatus, Duration) -> Void = { _, _, _ in }
  ) {
    self.admit = admit
    self.finished = finished
  }

  /// Refuses with `unauthenticated` whoever does not send `authorization: Bearer <token>`.
  ///
  /// The token is asked for at each call, so it can change. Methods of the exempt services (full
  /// names) need none. Comparing takes as long for a wrong token as for the right one.
  package static func bearerToken(
    exemptServices: Set<String> = ["grpc.health.v1.Health"],
    token: @escaping @Sendable () -> [UInt8]
  ) -> ServerInterceptor {
    ServerInterceptor(admit: { context in
      if let path = context.path, exemptServices.contains(path.service) { return }
      let expected = token()
      let scheme = Array("Bearer ".utf8)
      guard let value = context.metadata.bytes("authorization"), value.starts(with: scheme),
        !expected.isEmpty, areEqual(Array(value.dropFirst(scheme.count)), expected)
      else {
        throw GRPCStatus(
          .unauthenticated, "send the metadata \"authorization: Bearer <token>\" with a valid token"
        )
      }
    })
  }

  /// Compares in a time that depends on the lengths only.
  private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
