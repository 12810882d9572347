import DaemonConfiguration
import Foundation
import Glibc
import Testing

@testable import Daemon

@Suite struct HTTPEndpointTests {
  private func endpoint(
    unready: String? = nil, token: String? = nil, port: UInt16 = 0
  ) async throws -> HTTPEndpoint {
    var answers = HTTPEndpoint.Answers(unreadyReason: { unready }, metrics: { "metric 1\n" })
    if let token { answers.token = { token } }
    return try await HTTPEndpoint(
      NetworkAddress(host: "127.0.0.1", port: port), answers: answers)
  }

  /// Status line and body of a GET, over a plain socket.
  private func get(_ path: String, _ port: UInt16, _ header: String = "") -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    _ = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    let request = "GET \(path) HTTP/1.1\r\nHost: x\r\n\(header)Connection: close\r\n\r\n"
    _ = write(descriptor, request, request.utf8.count)
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count <= 0 { break }
      answer += buffer[..<count]
    }
    return String(decoding: answer, as: UTF8.self)
  }

  private func ask(_ path: String, _ port: UInt16, _ header: String = "") async -> String {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: get(path, port, header)) }
    }
  }

  @Test func `health, readiness and metrics are answered`() async throws {
    let http = try await endpoint()
    #expect(await ask("/healthz", http.address.port).hasPrefix("HTTP/1.1 200"))
    #expect(await ask("/readyz", http.address.port).hasPrefix("HTTP/1.1 200"))
    let metrics = await ask("/metrics", http.address.port)
    #expect(metrics.contains("version=0.0.4") && metrics.hasSuffix("metric 1\n"))
    #expect(await ask("/else", http.address.port).hasPrefix("HTTP/1.1 404"))
    await http.stop()
  }

  @Test func `not being ready is told with its reason`() async throws {
    let http = try await endpoint(unready: "the daemon is starting")
    let answer = await ask("/readyz", http.address.port)
    #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("starting"))
    await http.stop()
  }

  @Test func `metrics ask for the token if there is one`() async throws {
    let http = try await endpoint(token: "secret")
    let port = http.address.port
    #expect(await ask("/metrics", port).hasPrefix("HTTP/1.1 401"))
    let header = "Authorization: Bearer secret\r\n"
    #expect(await ask("/metrics", port, header).hasPrefix("HTTP/1.1 200"))
    await http.stop()
  }

  @Test func `a port in use is an error that names the flag`() async throws {
    let http = try await endpoint()
    let refusal = await #expect(throws: Refusal.self) {
      _ = try await endpoint(port: http.address.port)
    }
    #expect(refusal?.message.contains("--http-address") == true)
    await http.stop()
  }
}
