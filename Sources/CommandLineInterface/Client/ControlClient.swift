internal import Messages

/// Calls the control API with Swift values.
struct ControlClient: Sendable {
  let transport: any ControlTransport
  /// Where the daemon is, for messages.
  let address: String

  func call<Request, Response>(
    _ method: RPCMethod<Request, Response>, _ request: Request
  ) async throws(CommandFailure) -> Response {
    let bytes: [UInt8]
    do throws(CallFailure) {
      bytes = try await transport.call(path: method.path, request: request.serializedBytes())
    } catch {
      throw CommandFailure(error, address: address)
    }
    do throws(MessageError) {
      return try Response(serializedBytes: bytes)
    } catch {
      throw CommandFailure(.failed, "the daemon's answer is not understood: \(error)")
    }
  }
}
