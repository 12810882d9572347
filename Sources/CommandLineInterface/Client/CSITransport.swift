internal import GRPC

/// Carries calls of a CSI endpoint: gRPC on a Unix socket.
struct CSITransport: ControlTransport {
  private let channel: GRPCChannel
  private let timeout: Duration

  init(socketPath: String, timeout: Duration) throws(CommandFailure) {
    do throws(GRPCStatus) {
      channel = try GRPCChannel(to: .unix(path: socketPath))
    } catch {
      throw CommandFailure(.usage, error.message)
    }
    self.timeout = timeout
  }

  func call(path: String, request: [UInt8]) async throws(CallFailure) -> [UInt8] {
    guard let method = MethodPath(path: path) else {
      throw CallFailure(code: .other, message: "\(path) is no method")
    }
    var options = CallOptions()
    options.timeout = timeout
    do throws(GRPCStatus) {
      return try await channel.unary(method, request, options: options).message
    } catch {
      throw CallFailure(code: .init(error.code.rawValue), message: "\(error)")
    }
  }
}
