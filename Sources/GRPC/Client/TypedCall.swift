/// A call whose messages are values.
package struct TypedCall<Request: Sendable, Response: Sendable>: Sendable {
  package let call: ClientCall
  private let path: MethodPath
  private let request: MessageCodec<Request>
  private let response: MessageCodec<Response>

  init(
    _ call: ClientCall, _ path: MethodPath, _ request: MessageCodec<Request>,
    _ response: MessageCodec<Response>
  ) {
    self.call = call
    self.path = path
    self.request = request
    self.response = response
  }

  package func send(_ message: Request) async throws {
    try await call.send(try request.encode(message))
  }

  package func finishSending() async throws { try await call.finishSending() }

  /// The next message; nil after the last when the call ended well, otherwise throws its status.
  package func receive() async throws -> Response? {
    guard let bytes = try await call.receive() else { return nil }
    return try decodeResponse(bytes, response, path)
  }

  package func cancel() { call.cancel() }

  /// The messages to come. Iterate once; leaving early cancels nothing, dropping the call does.
  package var responses: Responses { Responses(call: self) }

  package struct Responses: AsyncSequence, AsyncIteratorProtocol {
    let call: TypedCall

    package func makeAsyncIterator() -> Responses { self }

    package func next() async throws -> Response? { try await call.receive() }
  }
}

extension GRPCChannel {
  /// One message either way. Throws the status unless `ok`, `internal` for a malformed answer.
  package func unary<Request, Response>(
    _ path: MethodPath, _ message: Request, request: MessageCodec<Request>,
    response: MessageCodec<Response>, options: CallOptions = CallOptions()
  ) async throws -> Response {
    let reply = try await unary(path, try request.encode(message), options: options)
    return try decodeResponse(reply.message, response, path)
  }

  /// One message there, any number back.
  package func serverStreaming<Request, Response>(
    _ path: MethodPath, _ message: Request, request: MessageCodec<Request>,
    response: MessageCodec<Response>, options: CallOptions = CallOptions()
  ) async throws -> TypedCall<Request, Response> {
    let call = try bidirectional(path, request: request, response: response, options: options)
    // A call that is over already tells its status when its messages are received.
    do {
      try await call.send(message)
      try await call.finishSending()
    } catch  where call.call.serverStoppedTaking {
      return call
    }
    return call
  }

  /// Any number of messages there, one back. `send` fills the stream, which is then ended.
  package func clientStreaming<Request, Response>(
    _ path: MethodPath, request: MessageCodec<Request>, response: MessageCodec<Response>,
    options: CallOptions = CallOptions(),
    send: (TypedCall<Request, Response>) async throws -> Void
  ) async throws -> Response {
    let call = try bidirectional(path, request: request, response: response, options: options)
    do {
      try await send(call)
      try await call.finishSending()
    } catch  where call.call.serverStoppedTaking {
      // The server answered early: its answer counts.
    }
    guard let reply = try await call.receive() else {
      throw GRPCStatus(.internal, "\(path): the server sent OK without a message")
    }
    // The status still counts: it may refuse after the message.
    while try await call.receive() != nil {}
    return reply
  }

  /// Any number of messages either way.
  package func bidirectional<Request, Response>(
    _ path: MethodPath, request: MessageCodec<Request>, response: MessageCodec<Response>,
    options: CallOptions = CallOptions()
  ) throws(GRPCStatus) -> TypedCall<Request, Response> {
    TypedCall(try startCall(path, options: options), path, request, response)
  }
}

private func decodeResponse<Response>(
  _ bytes: [UInt8], _ codec: MessageCodec<Response>, _ path: MethodPath
) throws(GRPCStatus) -> Response {
  do {
    return try codec.decode(bytes)
  } catch {
    throw GRPCStatus(.internal, "\(path): the server's answer is malformed: \(error)")
  }
}
