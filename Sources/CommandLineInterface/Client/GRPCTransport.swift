internal import DaemonConfiguration
internal import GRPC

/// Carries calls over gRPC on TCP, with TLS and a bearer token where they are asked for.
struct GRPCTransport: ControlTransport {
  private let channel: GRPCChannel
  private let options: CallOptions

  /// Reads token and authority. Throws `CommandFailure` (usage) for files that cannot be used.
  init(_ endpoint: DaemonEndpoint) throws(CommandFailure) {
    var metadata: GRPCMetadata = [:]
    let security: ClientSecurity
    do throws(Refusal) {
      if let path = endpoint.tokenFile {
        metadata.add("authorization", "Bearer \(try TextFile.readSecret(path))")
      }
      if let path = endpoint.authorityFile {
        security = .tls(rootsPEM: Array(try TextFile.read(path).utf8))
      } else {
        security = .insecure
      }
    } catch {
      throw CommandFailure(.usage, error.message)
    }
    options = CallOptions(metadata: metadata, timeout: endpoint.timeout)
    do throws(GRPCStatus) {
      channel = try GRPCChannel(
        to: .tcp(host: endpoint.address.host, port: Int(endpoint.address.port)),
        security: security)
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }

  func call(path: String, request: [UInt8]) async throws(CallFailure) -> [UInt8] {
    guard let method = MethodPath(path: path) else {
      throw CallFailure(code: .unimplemented, message: path)
    }
    do throws(GRPCStatus) {
      return try await channel.unary(method, request, options: options).message
    } catch {
      throw CallFailure(code: CallFailure.Code(error.code.rawValue), message: error.message)
    }
  }
}
