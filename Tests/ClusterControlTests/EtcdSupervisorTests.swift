import DaemonConfiguration
import Glibc
import Testing

@testable import ClusterControl

@Suite(.serialized) struct EtcdSupervisorTests {
  private let directory = TemporaryDirectory()

  private func supervisor() throws -> EtcdSupervisor {
    try EtcdSupervisor(storagePath: directory.path, searchPath: "/usr/local/bin:/usr/bin")
  }

  /// Waits for a condition of the outside world, at most ten seconds.
  private func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<1000 {
      if condition() { return true }
      poll(nil, 0, 10)
    }
    return false
  }

  private func answers(_ endpoint: String) -> Bool {
    guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      return false
    }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  @Test func `a missing program is an error that names the package`() {
    let refusal = #expect(throws: Refusal.self) {
      try EtcdSupervisor(storagePath: directory.path, searchPath: "/nonexistent")
    }
    #expect(refusal?.message.contains("etcd-server") == true)
  }

  @Test func `the child serves, is started again when it dies, and ends with stop`() throws {
    let etcd = try supervisor()
    try etcd.start()
    defer { etcd.stop() }
    #expect(eventually { answers(etcd.endpoint) })
    let first = try #require(etcd.processID)
    kill(first, SIGKILL)
    #expect(eventually { etcd.processID != nil && etcd.processID != first })
    #expect(eventually { answers(etcd.endpoint) })
    let second = try #require(etcd.processID)
    etcd.stop()
    #expect(kill(second, 0) != 0)
    #expect(etcd.restartCount == 1)
  }

  @Test func `what an earlier daemon left behind is ended`() throws {
    let path = directory.path + "/etcd"
    mkdir(path, 0o700)
    let words = [
      "/usr/bin/etcd", "--data-dir", path + "/data", "--listen-client-urls",
      "http://127.0.0.1:0", "--advertise-client-urls", "http://127.0.0.1:0",
      "--listen-peer-urls", "http://127.0.0.1:0", "--log-level", "error",
    ]
    var arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var left: pid_t = 0
    try #require(posix_spawn(&left, words[0], nil, nil, &arguments, environ) == 0)
    let file = try #require(fopen(path + "/pid", "w"))
    fputs("\(left)\n", file)
    fclose(file)
    let watcher = Thread(waitingFor: left)
    _ = try supervisor()
    #expect(watcher.hasEnded())
  }
}

/// Reaps a child, as its real parent would.
private final class Thread: Sendable {
  private let pid: pid_t
  private let thread: pthread_t

  init(waitingFor pid: pid_t) {
    self.pid = pid
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        waitpid(pid_t(Int(bitPattern: argument)), nil, 0)
        return nil
      }, UnsafeMutableRawPointer(bitPattern: Int(pid)))
    self.thread = thread
  }

  func hasEnded() -> Bool {
    pthread_join(thread, nil)
    return kill(pid, 0) != 0
  }
}
