/// Carries calls over gRPC on TCP.
struct GRPCTransport: ControlTransport {
  init(_ endpoint: DaemonEndpoint) throws(CommandFailure) {}

  func close() async {}

  func call(path: String, request: [UInt8]) async throws(CallFailure) -> [UInt8] {
    throw CallFailure(code: .unavailable, message: "not connected")
  }
}
