internal import CLinux
internal import Glibc

/// Holds open `/dev/fuse` descriptors, so that mounts outlive the daemon that serves them.
///
/// One thread, one socket, nothing on disk: what it holds ends with it. It never reads from the
/// descriptors, and does not poll them: a poller would be woken with every request.
package final class MountKeeper {
  private struct Kept {
    var descriptor: Int32
    var metadata: [UInt8]
  }

  private let lock: FileLock
  private let listener: PacketSocket
  private let socketPath: String
  private var kept: [String: Kept] = [:]
  private var clients: [Int32] = []
  private var isStopping = false

  /// Connections at a time; more wait in the socket's queue.
  private static let maximumClientCount = 16

  /// Makes the socket, with mode 0600. Fails while another keeper serves there.
  package static func listening(at socketPath: String) throws(HostError) -> MountKeeper {
    guard let lock = try FileLock(socketPath + ".lock") else {
      throw HostError(
        operation: "serve as mount keeper", path: socketPath, errorNumber: EADDRINUSE,
        detail: "another keeper serves there")
    }
    let listener = try PacketSocket.listening(at: socketPath)
    return MountKeeper(lock, listener, socketPath)
  }

  private init(
    _ lock: consuming FileLock, _ listener: consuming PacketSocket, _ socketPath: String
  ) {
    self.lock = lock
    self.listener = listener
    self.socketPath = socketPath
  }

  deinit {
    for entry in kept.values { close(entry.descriptor) }
    for client in clients { close(client) }
  }

  /// Serves until it is told to stop and holds nothing.
  package func run() throws(HostError) {
    while !isStopping {
      var descriptors = clients.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      if clients.count < Self.maximumClientCount {
        descriptors.append(pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0))
      }
      let count = poll(&descriptors, nfds_t(descriptors.count), -1)
      if count < 0, errno == EINTR { continue }
      try check(count, "wait for requests", at: socketPath)
      for entry in descriptors where entry.revents != 0 {
        if entry.fd == listener.descriptor { acceptClient() } else { serve(entry.fd) }
      }
    }
    unlink(socketPath)
  }

  private func acceptClient() {
    let client = clinux_accept(listener.descriptor)
    guard client >= 0 else { return }
    var user = uid_t.max
    guard clinux_peer_user(client, &user) == 0, user == geteuid() || user == 0 else {
      close(client)
      return
    }
    clients.append(client)
  }

  /// Answers one request; a client that left or talks nonsense is closed.
  private func serve(_ client: Int32) {
    let maximum = KeeperMessage.headByteCount + KeeperMessage.maximumNameByteCount
    var bytes = [UInt8](repeating: 0, count: maximum + KeeperMessage.maximumMetadataByteCount)
    var received: Int32 = -1
    var isTruncated: Int32 = 0
    let count = bytes.withUnsafeMutableBytes {
      clinux_receive_packet(client, $0.baseAddress, $0.count, &received, &isTruncated)
    }
    guard count > 0, isTruncated == 0,
      let message = KeeperMessage(bytes: Array(bytes[..<count]))
    else {
      if received >= 0 { close(received) }
      if count > 0 { reply(client, .invalid) }
      clients.removeAll { $0 == client }
      close(client)
      return
    }
    carryOut(message, received, for: client)
  }

  private func carryOut(_ message: KeeperMessage, _ received: Int32, for client: Int32) {
    var received = received
    defer { if received >= 0 { close(received) } }
    switch message {
    case .store(let name, let metadata):
      guard received >= 0 else { return reply(client, .invalid) }
      reap()
      guard kept[name] != nil || kept.count < KeeperMessage.maximumCount else {
        return reply(client, .full)
      }
      if let previous = kept[name] { close(previous.descriptor) }
      kept[name] = Kept(descriptor: received, metadata: metadata)
      received = -1
      reply(client, .done)
    case .fetch(let name):
      reap()
      guard let entry = kept[name] else { return reply(client, .notKept) }
      reply(client, .done, entry.metadata, descriptor: entry.descriptor)
    case .list:
      reap()
      reply(client, .done, Array(kept.keys.sorted().joined(separator: "\n").utf8))
    case .drop(let name):
      if let entry = kept.removeValue(forKey: name) { close(entry.descriptor) }
      reply(client, .done)
    case .stop:
      reap()
      isStopping = kept.isEmpty
      reply(client, isStopping ? .done : .notEmpty)
    }
  }

  /// Closes descriptors whose file system was unmounted.
  private func reap() {
    for (name, entry) in kept {
      var state = pollfd(fd: entry.descriptor, events: 0, revents: 0)
      if poll(&state, 1, 0) > 0, state.revents & Int16(POLLERR) != 0 {
        close(entry.descriptor)
        kept[name] = nil
      }
    }
  }

  private func reply(
    _ client: Int32, _ status: KeeperStatus, _ payload: [UInt8] = [], descriptor: Int32 = -1
  ) {
    // A client that left before its answer is noticed at the next poll.
    _ = ([status.rawValue] + payload).withUnsafeBytes {
      clinux_send_packet(client, $0.baseAddress, $0.count, descriptor)
    }
  }
}
