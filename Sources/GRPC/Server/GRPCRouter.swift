/// Which handler answers which method. Filled before the server starts.
///
/// A handler runs in a task of its own, which is cancelled when the client goes away or the
/// deadline passes. It answers with a status by throwing it; `CancellationError` becomes
/// `cancelled` or `deadlineExceeded`, other errors `unknown` unless they are
/// `GRPCStatusConvertible`. A malformed request is refused with `invalidArgument`.
package struct GRPCRouter: Sendable {
  struct Method: Sendable {
    let endsAtShutdown: Bool
    /// Returns the last message, for methods with a single answer.
    let handle: @Sendable (ServerCall) async throws -> [UInt8]?
  }

  private var methods: [MethodPath: Method] = [:]

  package init() {}

  /// Full names of the services with at least one method, sorted.
  package var services: [String] { Set(methods.keys.map(\.service)).sorted() }

  func method(_ path: MethodPath) -> Method? { methods[path] }

  /// One message either way.
  package mutating func unary<Request, Response>(
    _ service: String, _ method: String, request: MessageCodec<Request>,
    response: MessageCodec<Response>,
    handler: @escaping @Sendable (Request, ServerCallContext) async throws -> Response
  ) {
    add(service, method) { call in
      let message = try await Self.onlyRequest(call, request)
      return try encodeReply(try await handler(message, call.context), response, call)
    }
  }

  /// One message there, any number back.
  ///
  /// Pass `endsAtShutdown` for streams that would never end by themselves: a shutdown then cancels
  /// their handlers at once.
  package mutating func serverStreaming<Request, Response>(
    _ service: String, _ method: String, request: MessageCodec<Request>,
    response: MessageCodec<Response>, endsAtShutdown: Bool = false,
    handler:
      @escaping @Sendable (Request, ResponseWriter<Response>, ServerCallContext)
      async throws -> Void
  ) {
    add(service, method, endsAtShutdown: endsAtShutdown) { call in
      let message = try await Self.onlyRequest(call, request)
      try await handler(message, ResponseWriter(call, response), call.context)
      return nil
    }
  }

  /// Any number of messages there, one back.
  package mutating func clientStreaming<Request, Response>(
    _ service: String, _ method: String, request: MessageCodec<Request>,
    response: MessageCodec<Response>, endsAtShutdown: Bool = false,
    handler:
      @escaping @Sendable (RequestStream<Request>, ServerCallContext) async throws -> Response
  ) {
    add(service, method, endsAtShutdown: endsAtShutdown) { call in
      let reply = try await handler(RequestStream(call, request), call.context)
      return try encodeReply(reply, response, call)
    }
  }

  /// Any number of messages either way.
  package mutating func bidirectional<Request, Response>(
    _ service: String, _ method: String, request: MessageCodec<Request>,
    response: MessageCodec<Response>, endsAtShutdown: Bool = false,
    handler:
      @escaping @Sendable (RequestStream<Request>, ResponseWriter<Response>, ServerCallContext)
      async throws -> Void
  ) {
    add(service, method, endsAtShutdown: endsAtShutdown) { call in
      try await handler(
        RequestStream(call, request), ResponseWriter(call, response), call.context)
      return nil
    }
  }

  private mutating func add(
    _ service: String, _ method: String, endsAtShutdown: Bool = false,
    handle: @escaping @Sendable (ServerCall) async throws -> [UInt8]?
  ) {
    let path = MethodPath(service, method)
    precondition(methods[path] == nil, "\(path) has a handler already")
    methods[path] = Method(endsAtShutdown: endsAtShutdown, handle: handle)
  }

  private static func onlyRequest<Request>(
    _ call: ServerCall, _ codec: MessageCodec<Request>
  ) async throws -> Request {
    guard let message = try await RequestStream(call, codec).next() else {
      throw GRPCStatus(.invalidArgument, "\(call.context.pathText): no request was sent")
    }
    return message
  }
}
