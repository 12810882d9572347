import EtcdClient
import Glibc
import Synchronization

struct TestFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A real etcd of our own: on free loopback ports, its data in a temporary directory.
final class EtcdProcess: Sendable {
  let directory: String
  let clientPort: Int
  private let peerPort: Int
  private let process = Mutex<pid_t>(0)

  var endpoint: String { "http://127.0.0.1:\(clientPort)" }

  /// Starts it; it answers a little later.
  init() throws {
    var template = Array("/tmp/galleon-etcd-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestFailure("mkdtemp: errno \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    (clientPort, peerPort) = try freePorts()
    try start()
  }

  deinit {
    kill()
    remove(directory)
  }

  func start() throws {
    let peer = "http://127.0.0.1:\(peerPort)"
    let pid = try spawn([
      "etcd", "--name", "one", "--data-dir", "\(directory)/data", "--logger", "zap",
      "--listen-client-urls", endpoint, "--advertise-client-urls", endpoint,
      "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
      "one=\(peer)", "--unsafe-no-fsync",
    ])
    process.withLock { $0 = pid }
  }

  /// Ends it at once, as a crash would.
  func kill() { signal(SIGKILL, reaping: true) }

  /// Returns when all its threads stand still.
  func pause() {
    signal(SIGSTOP, reaping: false)
    process.withLock { pid in
      var status: Int32 = 0
      waitpid(pid, &status, WUNTRACED)
    }
  }

  func resume() { signal(SIGCONT, reaping: false) }

  private func signal(_ number: Int32, reaping: Bool) {
    process.withLock { pid in
      guard pid > 0 else { return }
      _ = Glibc.kill(pid, number)
      guard reaping else { return }
      var status: Int32 = 0
      waitpid(pid, &status, 0)
      pid = 0
    }
  }
}

private func spawn(_ arguments: [String]) throws -> pid_t {
  var process = pid_t()
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
  defer { posix_spawn_file_actions_destroy(&actions) }
  var pointers = arguments.map { strdup($0) } + [nil]
  defer { for pointer in pointers { free(pointer) } }
  let error = posix_spawnp(&process, arguments[0], &actions, nil, &pointers, environ)
  guard error == 0 else {
    throw TestFailure("cannot start \(arguments[0]) (Debian: etcd-server): errno \(error)")
  }
  return process
}

private func remove(_ directory: String) {
  guard let process = try? spawn(["rm", "-rf", directory]) else { return }
  var status: Int32 = 0
  waitpid(process, &status, 0)
}

private func freePorts() throws -> (Int, Int) {
  let first = try boundSocket()
  let second = try boundSocket()
  close(first.descriptor)
  close(second.descriptor)
  return (first.port, second.port)
}

private func boundSocket() throws -> (descriptor: Int32, port: Int) {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  var count = socklen_t(MemoryLayout<sockaddr_in>.size)
  let result = withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      let bound = bind(descriptor, $0, count)
      return bound == 0 ? getsockname(descriptor, $0, &count) : bound
    }
  }
  guard result == 0 else { throw TestFailure("no free port: errno \(errno)") }
  return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}

/// Runs `body` with a fresh etcd and a client of it.
func withEtcd(_ body: (EtcdProcess, EtcdClient) async throws -> Void) async throws {
  let etcd = try EtcdProcess()
  let client = try EtcdClient(endpoints: [etcd.endpoint], timeout: .seconds(30))
  try await body(etcd, client)
  etcd.kill()
}

/// The error that `body` throws.
func etcdError(_ body: () async throws -> Void) async -> EtcdError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? EtcdError
  }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
