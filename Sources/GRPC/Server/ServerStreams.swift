/// The messages that a client sends, as they come. Iterate from one task.
///
/// The sequence ends after the client's last message; it throws when the call breaks off, or a
/// message is malformed.
package struct RequestStream<Message: Sendable>: AsyncSequence, AsyncIteratorProtocol, Sendable {
  private let call: ServerCall
  private let codec: MessageCodec<Message>

  init(_ call: ServerCall, _ codec: MessageCodec<Message>) {
    self.call = call
    self.codec = codec
  }

  package func makeAsyncIterator() -> RequestStream { self }

  package func next() async throws -> Message? {
    guard let bytes = try await call.receive() else { return nil }
    do {
      return try codec.decode(bytes)
    } catch {
      throw GRPCStatus(
        .invalidArgument, "\(call.context.pathText): the request is malformed: \(error)")
    }
  }
}

/// Sends messages to the client. Several tasks may; each waits its turn.
package struct ResponseWriter<Message: Sendable>: Sendable {
  private let call: ServerCall
  private let codec: MessageCodec<Message>

  init(_ call: ServerCall, _ codec: MessageCodec<Message>) {
    self.call = call
    self.codec = codec
  }

  /// Returns when the connection took the message. Throws when the call broke off.
  package func send(_ message: Message) async throws {
    try await call.send(try encodeReply(message, codec, call))
  }

  /// Sends the context's initial metadata now rather than with the first message.
  package func sendInitialMetadata() async throws { try await call.sendInitialMetadata() }
}

func encodeReply<Message>(
  _ message: Message, _ codec: MessageCodec<Message>, _ call: ServerCall
) throws(GRPCStatus) -> [UInt8] {
  do {
    return try codec.encode(message)
  } catch {
    throw GRPCStatus(.internal, "\(call.context.pathText): the answer cannot be encoded: \(error)")
  }
}
