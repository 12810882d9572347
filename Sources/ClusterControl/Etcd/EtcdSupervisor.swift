package import DaemonConfiguration
internal import Glibc
internal import LinuxHost
internal import Logging
internal import StorageModel
internal import Synchronization

/// Runs Debian's `etcd` as a child of the daemon, on loopback ports of its own choosing.
///
/// One thread owns the child: it starts it, waits for its end, and starts it again with a growing
/// pause, until `stop`. The child gets SIGTERM when the daemon dies in whatever way.
package final class EtcdSupervisor: Sendable {
  package struct Ports: Hashable, Sendable {
    package var client: UInt16
    package var peer: UInt16
  }

  private struct State {
    var child: pid_t?
    var ports: Ports
    var isStopping = false
    /// No thread owns a child: not started, or over.
    var hasEnded = true
    var restartCount = 0
  }

  /// `<storage>/etcd`
  private let directory: String
  private let binary: String
  private let state: Mutex<State>
  /// Ends the pause between two starts.
  private let wake: (read: Int32, write: Int32)
  private let logger = Logger(label: "galleonfs.etcd")

  /// Looks for the program, ends what a killed daemon left behind, and starts the child.
  ///
  /// Throws `Refusal`: precondition if there is no `etcd`, naming the package; internal if it
  /// cannot be started.
  package init(storagePath: String, searchPath: String) throws(Refusal) {
    guard let binary = Self.find("etcd", in: searchPath) else {
      throw .precondition(
        "no etcd program in PATH; install it (Debian: apt-get install etcd-server) or give "
          + "--etcd-endpoints of an etcd that runs")
    }
    self.binary = binary
    directory = storagePath + "/etcd"
    guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
      throw Refusal(
        .internal, "cannot make \(directory): \(String(cString: strerror(errno)))")
    }
    try StaleEtcd(directory: directory).end()
    var descriptors: [Int32] = [0, 0]
    guard pipe(&descriptors) == 0 else {
      throw Refusal(.internal, "cannot make a pipe: \(String(cString: strerror(errno)))")
    }
    for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    wake = (descriptors[0], descriptors[1])
    state = Mutex(State(ports: try FreePorts.pair(remembered: directory + "/ports")))
  }

  deinit {
    close(wake.read)
    close(wake.write)
  }

  /// Starts the thread that owns the child.
  package func start() throws(Refusal) {
    state.withLock { $0.hasEnded = false }
    do throws(IOFailure) {
      try HostThread.start(named: "etcd-supervisor") { self.supervise() }
    } catch {
      state.withLock { $0.hasEnded = true }
      throw Refusal(.internal, "\(error)")
    }
  }

  /// `127.0.0.1:port` of the client API.
  package var endpoint: String { "127.0.0.1:\(state.withLock { $0.ports.client })" }

  package var restartCount: Int { state.withLock { $0.restartCount } }

  /// Process of the child, if it runs.
  package var processID: Int32? { state.withLock { $0.child } }

  /// Ends the child: SIGTERM, after five seconds SIGKILL. Returns when it is gone. Blocks.
  package func stop() {
    let child = state.withLock { state in
      state.isStopping = true
      return state.child
    }
    var byte: UInt8 = 1
    _ = write(wake.write, &byte, 1)
    if let child { kill(child, SIGTERM) }
    for _ in 0..<500 {
      if state.withLock({ $0.hasEnded }) { return }
      poll(nil, 0, 10)
    }
    if let child = state.withLock({ $0.child }) { kill(child, SIGKILL) }
    while !state.withLock({ $0.hasEnded }) { poll(nil, 0, 10) }
  }

  // MARK: The thread

  private func supervise() {
    var pauseMilliseconds: Int32 = 100
    while !state.withLock({ $0.isStopping }) {
      let started = ContinuousClock.now
      runOnce()
      if state.withLock({ $0.isStopping }) { break }
      if ContinuousClock.now - started > .seconds(30) { pauseMilliseconds = 100 }
      logger.warning(
        "etcd ended, starting it again", metadata: ["pause_ms": "\(pauseMilliseconds)"])
      rest(pauseMilliseconds)
      pauseMilliseconds = min(pauseMilliseconds * 2, 10_000)
      state.withLock { $0.restartCount += 1 }
    }
    unlink(directory + "/pid")
    state.withLock { $0.hasEnded = true }
  }

  private func runOnce() {
    let ports = state.withLock { $0.ports }
    let log = open(directory + "/etcd.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { if log >= 0 { close(log) } }
    let pid: pid_t
    do throws(IOFailure) {
      pid = try BoundChild.spawn(
        binary, arguments(ports), environment: ["ETCD_UNSUPPORTED_ARCH": "arm64"], log: log,
        deathSignal: SIGTERM)
    } catch {
      logger.error("cannot start etcd", metadata: ["error": "\(error)"])
      return
    }
    writePID(pid)
    let isStopping = state.withLock { state in
      state.child = pid
      return state.isStopping
    }
    if isStopping { kill(pid, SIGTERM) }
    logger.debug("etcd started", metadata: ["pid": "\(pid)", "port": "\(ports.client)"])
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    state.withLock { $0.child = nil }
    // Its ports may have been taken by others in the meantime.
    if let fresh = try? FreePorts.pair(remembered: directory + "/ports") {
      state.withLock { $0.ports = fresh }
    }
  }

  private func arguments(_ ports: Ports) -> [String] {
    let client = "http://127.0.0.1:\(ports.client)"
    let peer = "http://127.0.0.1:\(ports.peer)"
    return [
      "--name", "galleonfs", "--data-dir", directory + "/data",
      "--listen-client-urls", client, "--advertise-client-urls", client,
      "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
      "--initial-cluster", "galleonfs=\(peer)", "--initial-cluster-state", "new",
      // One voter elects itself within the timeout: measured 0.3–0.9 s to the first answer, and
      // 0.6 % of a core when idle. Half the interval costs twice as much.
      "--heartbeat-interval", "100", "--election-timeout", "500",
      "--auto-compaction-mode", "periodic", "--auto-compaction-retention", "1h",
      "--logger", "zap", "--log-level", "warn", "--log-outputs", "stderr",
    ]
  }

  private func writePID(_ pid: pid_t) {
    let file = open(directory + "/pid", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return }
    defer { close(file) }
    let text = Array("\(pid)\n".utf8)
    _ = text.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
  }

  private func rest(_ milliseconds: Int32) {
    var descriptor = pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0)
    poll(&descriptor, 1, milliseconds)
  }

  private static func find(_ name: String, in searchPath: String) -> String? {
    for directory in searchPath.split(separator: ":") where directory.hasPrefix("/") {
      let path = "\(directory)/\(name)"
      if access(path, X_OK) == 0 { return path }
    }
    return nil
  }
}
