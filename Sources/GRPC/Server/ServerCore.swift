import CGRPC
import Synchronization

/// The C core's server.
///
/// `@unchecked Sendable`: the core's server may be used from any thread until it is destroyed; who
/// holds it keeps it in a mutex, and forgets it there when destroying.
private struct CoreServer: @unchecked Sendable {
  let pointer: OpaquePointer
}

/// The C core's server, its completion queue and the calls that run.
///
/// Pending requests for calls hold it, so it lives until the core has shut down.
final class ServerCore: Sendable {
  /// running → stopping → stopped
  private enum Phase {
    case running
    case stopping
    case stopped
  }

  private struct State {
    var phase = Phase.running
    /// nil once destroyed.
    var server: CoreServer?
    var calls: [UInt64: ServerCall] = [:]
    var lastCallNumber: UInt64 = 0
    var sockets: [PublishedSocket] = []
  }

  /// Requests for calls that wait at the core at once.
  private static let waitingRequestCount = 32

  private let queue: CompletionQueue
  private let router: GRPCRouter
  private let interceptors: [ServerInterceptor]
  private let state: Mutex<State>
  /// The core has no call and no connection left.
  private let drained = OneShot<Void>()
  /// No handler runs, or those that do were given up: their number.
  private let idle = OneShot<Int>()

  init(
    router: GRPCRouter, interceptors: [ServerInterceptor], options: ServerOptions
  ) throws(GRPCStatus) {
    queue = try CompletionQueue()
    self.router = router
    self.interceptors = interceptors
    guard let server = options.makeArguments().withPointer({ grpc_server_create($0, nil) }) else {
      throw GRPCStatus(.internal, "cannot create a server")
    }
    grpc_server_register_completion_queue(server, queue.pointer, nil)
    state = Mutex(State(server: CoreServer(pointer: server)))
  }

  var runningCallCount: Int { state.withLock { $0.calls.count } }
}

// Listening.
extension ServerCore {
  /// Binds the address; before `start`. Returns it with the port that was chosen.
  func listen(on listener: ListenAddress) throws(GRPCStatus) -> TransportAddress {
    switch listener.address {
    case .unix(let path):
      let place = try UnixSocketPlace(path: path, mode: listener.mode)
      guard try bind(.unix(path: place.bindPath), listener.security) != 0 else {
        place.discard()
        throw GRPCStatus(.unavailable, "cannot listen on \(listener.address)")
      }
      let socket = try place.publish()
      state.withLock { $0.sockets.append(socket) }
      return listener.address
    case .tcp(let host, _):
      let port = try bind(listener.address, listener.security)
      guard port != 0 else { throw diagnoseBindFailure(listener.address) }
      return .tcp(host: host, port: port)
    }
  }

  /// The port, or another positive number for a socket; 0 on failure.
  private func bind(
    _ address: TransportAddress, _ security: ServerSecurity
  ) throws(GRPCStatus) -> Int {
    guard let credentials = try security.makeCredentials() else {
      throw GRPCStatus(.invalidArgument, "TLS: certificate, key or roots are not valid")
    }
    defer { grpc_server_credentials_release(credentials) }
    return state.withLock { state in
      guard let server = state.server else { return 0 }
      return Int(grpc_server_add_http2_port(server.pointer, address.coreTarget, credentials))
    }
  }

  /// Takes calls from now on.
  func start() {
    state.withLock { state in
      guard let server = state.server else { return }
      grpc_server_start(server.pointer)
    }
    for _ in 0..<Self.waitingRequestCount { requestCall() }
  }

  /// Asks the core for one call.
  private func requestCall() {
    let request = CallRequest { [self] request in
      // The next call must not wait for this one's handler.
      requestCall()
      if let call = request.makeCall(on: queue) { begin(call) }
    }
    state.withLock { state in
      guard state.phase == .running, let server = state.server else { return }
      request.start(server.pointer, queue)
    }
  }
}

// Calls.
extension ServerCore {
  private func begin(_ call: ServerCall) {
    let number = state.withLock { state -> UInt64 in
      state.lastCallNumber += 1
      state.calls[state.lastCallNumber] = call
      return state.lastCallNumber
    }
    let method = call.context.path.flatMap { router.method($0) }
    call.watchForCancellation()
    call.attach(
      Task { [self] in
        await run(call, method)
        end(number)
      }, endsAtShutdown: method?.endsAtShutdown ?? false)
    if state.withLock({ $0.phase != .running }) { call.serverIsStopping() }
  }

  private func run(_ call: ServerCall, _ method: GRPCRouter.Method?) async {
    let start = ContinuousClock.now
    var status = GRPCStatus.ok
    var reply: [UInt8]?
    do {
      for interceptor in interceptors { try await interceptor.admit(call.context) }
      guard let method else {
        throw GRPCStatus(.unimplemented, "unknown method \(call.context.pathText)")
      }
      reply = try await method.handle(call)
    } catch {
      status = call.status(answering: error)
    }
    let sent = await call.finish(status, reply: reply)
    let duration = start.duration(to: .now)
    for interceptor in interceptors { interceptor.finished(call.context, sent, duration) }
  }

  private func end(_ number: UInt64) {
    let isLast = state.withLock { state in
      state.calls[number] = nil
      return state.calls.isEmpty && state.phase == .stopped
    }
    if isLast { idle.resolve(0) }
  }
}

// Shutting down.
extension ServerCore {
  func shutdown(grace: Duration, cancellationGrace: Duration) async -> Int {
    beginShutdown()
    let cancellation = Task { [self] in
      try await Task.sleep(for: grace)
      cancelCalls()
    }
    await drained.value()
    let patience = Task { [self] in
      try await Task.sleep(for: cancellationGrace)
      idle.resolve(runningCallCount)
    }
    let left = await idle.value()
    cancellation.cancel()
    patience.cancel()
    return left
  }

  /// Shuts down without waiting, calls cancelled.
  func abandon() {
    beginShutdown()
    cancelCalls()
  }

  private func beginShutdown() {
    let calls = state.withLock { state -> [ServerCall] in
      guard state.phase == .running, let server = state.server else { return [] }
      state.phase = .stopping
      let tag = ClosureTag { [self] _ in destroy() }
      grpc_server_shutdown_and_notify(server.pointer, queue.pointer, tag.retainedTag())
      return Array(state.calls.values)
    }
    for call in calls { call.serverIsStopping() }
  }

  private func cancelCalls() {
    let calls = state.withLock { state -> [ServerCall] in
      if let server = state.server { grpc_server_cancel_all_calls(server.pointer) }
      return Array(state.calls.values)
    }
    for call in calls { call.cancelHandler() }
  }

  /// The core has nothing left: frees it, and its sockets' names.
  private func destroy() {
    let (sockets, isIdle) = state.withLock { state -> ([PublishedSocket], Bool) in
      if let server = state.server { grpc_server_destroy(server.pointer) }
      state.server = nil
      state.phase = .stopped
      return (state.sockets, state.calls.isEmpty)
    }
    for socket in sockets { socket.remove() }
    if isIdle { idle.resolve(0) }
    drained.resolve(())
  }
}
