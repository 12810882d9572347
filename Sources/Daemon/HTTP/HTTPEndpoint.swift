internal import ControlAPI
internal import DaemonConfiguration
internal import FlyingFox
internal import FlyingSocks
internal import Foundation
internal import Logging

/// /healthz, /readyz and /metrics over HTTP.
final class HTTPEndpoint: Sendable {
  private let server: HTTPServer
  private let task: Task<Void, Never>
  /// With the port that the kernel chose, if it was asked to.
  let address: NetworkAddress

  /// What the endpoint asks when a request comes.
  struct Answers: Sendable {
    /// nil when ready, else why not.
    var unreadyReason: @Sendable () async -> String?
    var metrics: @Sendable () async -> String
    /// nil when /metrics is open to all.
    var token: (@Sendable () -> String)?
  }

  /// Listens. Throws `Refusal` (precondition) naming the flag if the address cannot be had.
  init(_ address: NetworkAddress, answers: Answers) async throws(Refusal) {
    let server = HTTPServer(
      config: try Self.configuration(address), handler: HTTPEndpoint.handler(answers))
    let failure = FirstFailure()
    task = Task {
      do {
        try await server.run()
      } catch {
        await failure.note("\(error)")
      }
    }
    self.server = server
    // The server tells waiters of its success only.
    while await !server.isListening {
      if let reason = await failure.text {
        throw .precondition("cannot listen on --http-address \(address): \(reason)")
      }
      guard (try? await Task.sleep(for: .milliseconds(5))) != nil else { break }  // cancelled
    }
    self.address = NetworkAddress(
      host: address.host, port: await Self.port(of: server) ?? address.port)
  }

  func stop() async {
    await server.stop(timeout: 0.1)
    task.cancel()
  }

  private static func port(of server: HTTPServer) async -> UInt16? {
    switch await server.listeningAddress {
    case .ip4(_, let port), .ip6(_, let port): port
    case .unix, .none: nil
    }
  }

  private static func configuration(_ address: NetworkAddress) throws(Refusal)
    -> HTTPServer.Configuration
  {
    let host = address.host.lowercased() == "localhost" ? "127.0.0.1" : address.host
    do {
      if host.contains(":") {
        return HTTPServer.Configuration(
          address: try sockaddr_in6.inet6(ip6: host, port: address.port),
          logger: .disabled)
      }
      return HTTPServer.Configuration(
        address: try sockaddr_in.inet(ip4: host, port: address.port), logger: .disabled)
    } catch {
      throw .invalid("--http-address \(address) must have an IP address or localhost")
    }
  }

  private static func handler(_ answers: Answers) -> any HTTPHandler {
    ClosureHTTPHandler { request in
      guard request.method == .GET || request.method == .HEAD else {
        return text(.methodNotAllowed, "only GET is answered\n")
      }
      switch request.path {
      case "/healthz": return text(.ok, "ok\n")
      case "/readyz":
        guard let reason = await answers.unreadyReason() else { return text(.ok, "ok\n") }
        return text(.serviceUnavailable, "not ready: \(reason)\n")
      case "/metrics":
        if let token = answers.token?(), request.headers[.authorization] != "Bearer \(token)" {
          return text(.unauthorized, "send the header \"Authorization: Bearer <token>\"\n")
        }
        return text(
          .ok, await answers.metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
      default: return text(.notFound, "known are: /healthz, /readyz, /metrics\n")
      }
    }
  }

  private static func text(
    _ status: HTTPStatusCode, _ body: String, type: String = "text/plain; charset=utf-8"
  ) -> HTTPResponse {
    HTTPResponse(
      statusCode: status, headers: [.contentType: type], body: Data(body.utf8))
  }
}

private actor FirstFailure {
  private(set) var text: String?

  func note(_ text: String) { self.text = self.text ?? text }
}
