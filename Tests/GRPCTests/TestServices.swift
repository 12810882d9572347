import GRPC
import Glibc
import Synchronization

/// A directory of its own under /tmp, removed at the end.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/galleon-grpc-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestFailure("mkdtemp: errno \(errno)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { _ = try? run("rm", "-rf", path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  func read(_ name: String) throws -> [UInt8] {
    guard let file = fopen(file(name), "r") else { throw TestFailure("no file \(name)") }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes.prefix(count))
  }
}

struct TestFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Runs a program to its end; throws unless it exits with 0.
func run(_ arguments: String...) throws {
  var process = pid_t()
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
  defer { posix_spawn_file_actions_destroy(&actions) }
  var pointers = arguments.map { strdup($0) } + [nil]
  defer { for pointer in pointers { free(pointer) } }
  let error = posix_spawnp(&process, arguments[0], &actions, nil, &pointers, environ)
  guard error == 0 else { throw TestFailure("\(arguments[0]): errno \(error)") }
  var status: Int32 = 0
  waitpid(process, &status, 0)
  guard status == 0 else { throw TestFailure("\(arguments.joined(separator: " ")): \(status)") }
}

/// Counts and remembers what handlers saw, for tests to wait on.
final class Witness: Sendable {
  private struct State {
    var events: [String] = []
    var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  var events: [String] { state.withLock { $0.events } }

  func saw(_ event: String) {
    let ready = state.withLock { state in
      state.events.append(event)
      let count = state.events.count
      let ready = state.waiters.filter { $0.count <= count }
      state.waiters.removeAll { $0.count <= count }
      return ready
    }
    for waiter in ready { waiter.continuation.resume() }
  }

  /// Returns once at least `count` events were seen.
  func wait(for count: Int = 1) async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.events.count < count { state.waiters.append((count, continuation)) }
        return state.events.count >= count
      }
      if isOver { continuation.resume() }
    }
  }
}

func path(_ method: String) -> MethodPath { MethodPath("test.Echo", method) }

/// Handlers of every kind of call.
func makeTestRouter(_ witness: Witness = Witness()) -> GRPCRouter {
  var router = GRPCRouter()
  router.unary("test.Echo", "Echo", request: .bytes, response: .bytes) { request, context in
    for entry in context.metadata.entries where entry.key.hasPrefix("x-") {
      context.initialMetadata.add(entry.key, entry.value)
      context.trailingMetadata.add("trailing-" + entry.key, entry.value)
    }
    return request
  }
  router.unary("test.Echo", "Fail", request: .bytes, response: .bytes) { request, _ in
    throw GRPCStatus(
      .failedPrecondition, String(decoding: request, as: UTF8.self), details: [1, 0, 255],
      metadata: ["x-hint": "later"])
  }
  router.unary("test.Echo", "Throw", request: .bytes, response: .bytes) { _, _ in
    throw TestFailure("handler's own error")
  }
  router.unary("test.Echo", "Strict", request: .strictText, response: .bytes) { request, _ in
    Array(request.utf8)
  }
  router.unary("test.Echo", "Sleep", request: .bytes, response: .bytes) { request, _ in
    witness.saw("started")
    do {
      try await Task.sleep(for: .seconds(60))
    } catch {
      witness.saw("cancelled")
      throw error
    }
    return request
  }
  router.unary("test.Echo", "Size", request: .bytes, response: .bytes) { request, _ in
    [UInt8](repeating: 7, count: Int(String(decoding: request, as: UTF8.self)) ?? 0)
  }
  addStreams(to: &router, witness)
  return router
}

private func addStreams(to router: inout GRPCRouter, _ witness: Witness) {
  router.serverStreaming("test.Echo", "Count", request: .bytes, response: .bytes) {
    request, responses, _ in
    for number in 0..<(Int(String(decoding: request, as: UTF8.self)) ?? 0) {
      try await responses.send(Array("\(number)".utf8))
    }
  }
  router.serverStreaming(
    "test.Echo", "Forever", request: .bytes, response: .bytes, endsAtShutdown: true
  ) { _, responses, _ in
    defer { witness.saw("ended") }
    try await responses.send([0])
    try await Task.sleep(for: .seconds(60))
  }
  router.clientStreaming("test.Echo", "Join", request: .bytes, response: .bytes) { requests, _ in
    var all: [UInt8] = []
    do {
      for try await request in requests {
        all += request
        witness.saw("message")
      }
    } catch {
      witness.saw("broken: \(error)")
      throw error
    }
    witness.saw("whole")
    return all
  }
  router.bidirectional("test.Echo", "Chat", request: .bytes, response: .bytes) {
    requests, responses, _ in
    for try await request in requests { try await responses.send(request.reversed()) }
  }
}

extension MessageCodec<String> {
  /// Text that must be UTF-8.
  static var strictText: MessageCodec {
    MessageCodec(
      decode: { bytes in
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw TestFailure("not UTF-8")
        }
        return text
      }, encode: { Array($0.utf8) })
  }
}

/// A server on a Unix socket, and a channel to it.
struct Pair {
  let directory: TemporaryDirectory
  let server: GRPCServer
  let channel: GRPCChannel

  init(
    _ router: GRPCRouter = makeTestRouter(), interceptors: [ServerInterceptor] = [],
    serverOptions: ServerOptions = ServerOptions(),
    channelOptions: ChannelOptions = ChannelOptions()
  ) throws {
    directory = try TemporaryDirectory()
    let path = directory.file("socket")
    server = try GRPCServer(
      listeningOn: [.unix(path: path)], router: router, interceptors: interceptors,
      options: serverOptions)
    channel = try GRPCChannel(to: .unix(path: path), options: channelOptions)
  }
}

/// Runs `body` with a server and a channel to it; shuts the server down.
func withPair(_ pair: Pair, _ body: (Pair) async throws -> Void) async throws {
  do {
    try await body(pair)
  } catch {
    await pair.server.shutdown(grace: .zero)
    throw error
  }
  await pair.server.shutdown(grace: .zero)
}

/// The status that `body` throws.
func status(_ body: () async throws -> Void) async -> GRPCStatus? {
  do {
    try await body()
    return nil
  } catch {
    return error as? GRPCStatus
  }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
