internal import Glibc

/// A device that the keeper held.
package struct KeptDevice: Hashable, Sendable {
  /// The caller's own copy, to be closed by it.
  package let descriptor: Int32
  /// What was stored with it.
  package let metadata: [UInt8]
}

/// The daemon's side of the mount keeper. Each call is one round trip and blocks; a keeper that
/// does not answer within `timeout` is an error.
package struct MountKeeperClient: Sendable {
  package let socketPath: String

  /// Longest wait for an answer.
  private static let timeoutSeconds = 5

  package init(socketPath: String) { self.socketPath = socketPath }

  /// Whether a keeper serves at the path.
  package var isServing: Bool {
    // No keeper is an answer here, not a failure.
    (try? names()) != nil
  }

  /// Gives the keeper a copy of the descriptor. `name`: 1–128 bytes; `metadata`: up to 4 KiB.
  package func store(
    _ name: String, descriptor: Int32, metadata: [UInt8]
  ) throws(HostError) {
    guard (1...KeeperMessage.maximumNameByteCount).contains(name.utf8.count),
      metadata.count <= KeeperMessage.maximumMetadataByteCount
    else {
      throw HostError(operation: "keep the mount \(name)", errorNumber: EMSGSIZE)
    }
    _ = try ask(.store(name: name, metadata: metadata), descriptor: descriptor)
  }

  /// A copy of the descriptor, which the caller closes. nil if nothing is kept under the name, or
  /// what was kept is unmounted meanwhile.
  package func fetch(_ name: String) throws(HostError) -> KeptDevice? {
    guard var answer = try ask(.fetch(name: name)) else { return nil }
    guard let descriptor = answer.takeDescriptor() else {
      throw HostError(operation: "fetch the mount \(name)", path: socketPath, errorNumber: EBADMSG)
    }
    return KeptDevice(descriptor: descriptor, metadata: Array(answer.bytes.dropFirst()))
  }

  /// What is kept, in order.
  package func names() throws(HostError) -> [String] {
    guard let answer = try ask(.list) else { return [] }
    return String(decoding: answer.bytes.dropFirst(), as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }

  /// The keeper closes its copy. A name that is not kept is no error.
  package func drop(_ name: String) throws(HostError) { _ = try ask(.drop(name: name)) }

  /// Ends the keeper; EBUSY if it still keeps mounts.
  package func stop() throws(HostError) { _ = try ask(.stop) }

  /// nil when the keeper says that nothing is kept under the name.
  private func ask(
    _ message: KeeperMessage, descriptor: Int32 = -1
  ) throws(HostError) -> Packet? {
    let socket = try PacketSocket.connected(to: socketPath)
    var timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
    setsockopt(
      socket.descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout,
      socklen_t(MemoryLayout<timeval>.size))
    try socket.send(message.bytes, descriptor: descriptor)
    guard let answer = try socket.receive(maximumByteCount: KeeperMessage.maximumByteCount),
      let status = answer.bytes.first.flatMap(KeeperStatus.init(rawValue:))
    else {
      throw HostError(operation: "ask the mount keeper", path: socketPath, errorNumber: EPROTO)
    }
    switch status {
    case .done: return answer
    case .notKept: return nil
    case .invalid:
      throw HostError(operation: "ask the mount keeper", path: socketPath, errorNumber: EINVAL)
    case .full:
      throw HostError(
        operation: "keep another mount", path: socketPath, errorNumber: ENOSPC,
        detail: "the keeper holds \(KeeperMessage.maximumCount)")
    case .notEmpty:
      throw HostError(
        operation: "stop the mount keeper", path: socketPath, errorNumber: EBUSY,
        detail: "it keeps mounts")
    }
  }
}

extension MountKeeperClient {
  /// Starts a keeper in a session of its own, so that it outlives this process, unless one serves
  /// already; returns when it serves. `program`: path of `galleonfs-mountkeeper`.
  package func start(program: String) throws(HostError) {
    if isServing { return }
    let ready = try Pipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ready.writeEnd, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // POSIX_SPAWN_SETSID, which Swift's Glibc module leaves out.
    posix_spawnattr_setflags(&attributes, 0x80)
    var process: pid_t = 0
    let result = withCStrings([program, "--socket", socketPath]) { arguments in
      withCStrings(["LC_ALL=C"]) {
        posix_spawn(&process, program, &actions, &attributes, arguments, $0)
      }
    }
    guard result == 0 else {
      throw HostError(operation: "start the mount keeper", path: program, errorNumber: result)
    }
    ready.closeWriteEnd()
    var collector = OutputCollector(ready.readEnd)
    let deadline = ContinuousClock.now + .seconds(Self.timeoutSeconds)
    // The keeper closes its standard output when it serves, or ends.
    guard collector.collect(until: deadline), isServing else {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
      throw HostError(
        operation: "start the mount keeper", path: program,
        detail: "it did not begin to serve at \(socketPath)")
    }
  }
}
