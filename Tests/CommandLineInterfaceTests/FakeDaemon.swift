import Messages
import Synchronization

@testable import CommandLineInterface

/// A daemon that answers calls from a table and remembers what it was asked.
final class FakeDaemon: ControlTransport {
  typealias Answer = @Sendable ([UInt8]) throws -> [UInt8]

  private let answers = Mutex<[String: Answer]>([:])
  private let asked = Mutex<[String: [[UInt8]]]>([:])

  func on<Request, Response>(
    _ method: RPCMethod<Request, Response>,
    _ answer: @escaping @Sendable (Request) throws -> Response
  ) {
    answers.withLock {
      $0[method.path] = { bytes in
        try answer(try Request(serializedBytes: bytes)).serializedBytes()
      }
    }
  }

  func call(path: String, request: [UInt8]) async throws(CallFailure) -> [UInt8] {
    asked.withLock { $0[path, default: []].append(request) }
    guard let answer = answers.withLock({ $0[path] }) else {
      throw CallFailure(code: .unimplemented, message: path)
    }
    do {
      return try answer(request)
    } catch let failure as CallFailure {
      throw failure
    } catch {
      throw CallFailure(code: .other, message: "\(error)")
    }
  }

  func requests<Request, Response>(_ method: RPCMethod<Request, Response>) throws -> [Request] {
    try asked.withLock { $0[method.path] ?? [] }.map { try Request(serializedBytes: $0) }
  }

  var client: ControlClient { ControlClient(transport: self, address: "127.0.0.1:8090") }
}
