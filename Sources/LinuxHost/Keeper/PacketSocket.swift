internal import CLinux
internal import Glibc

/// A packet of a Unix socket, with a descriptor that may have come along.
struct Packet: ~Copyable {
  let bytes: [UInt8]
  private var descriptor: Int32

  init(bytes: [UInt8], descriptor: Int32) {
    self.bytes = bytes
    self.descriptor = descriptor
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Hands the descriptor over to the caller; nil if none came.
  mutating func takeDescriptor() -> Int32? {
    defer { descriptor = -1 }
    return descriptor >= 0 ? descriptor : nil
  }
}

/// A Unix socket (SOCK_SEQPACKET) that closes with its value. All calls block.
struct PacketSocket: ~Copyable, Sendable {
  let descriptor: Int32

  deinit { close(descriptor) }

  /// Connects to a path.
  static func connected(to path: String) throws(HostError) -> PacketSocket {
    let socket = PacketSocket(descriptor: try make(path))
    let descriptor = socket.descriptor
    var address = try Self.address(path)
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
    }
    try check(result, "connect to the mount keeper", at: path)
    return socket
  }

  /// Listens at a path, which appears at once with mode 0600 and replaces what was there.
  static func listening(at path: String) throws(HostError) -> PacketSocket {
    let socket = PacketSocket(descriptor: try make(path))
    let descriptor = socket.descriptor
    let temporary = "\(path).new"
    unlink(temporary)
    var address = try Self.address(temporary)
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    try check(result, "make the socket", at: temporary)
    try check(chmod(temporary, 0o600), "protect the socket", at: temporary)
    try check(listen(descriptor, 16), "listen", at: temporary)
    try check(rename(temporary, path), "put the socket in place", at: path)
    return socket
  }

  func send(_ bytes: [UInt8], descriptor: Int32 = -1) throws(HostError) {
    let count = bytes.withUnsafeBytes {
      clinux_send_packet(self.descriptor, $0.baseAddress, $0.count, descriptor)
    }
    try check(count, "send to the mount keeper's peer")
  }

  /// nil when the other end is closed.
  func receive(maximumByteCount: Int) throws(HostError) -> Packet? {
    var bytes = [UInt8](repeating: 0, count: maximumByteCount)
    var received: Int32 = -1
    var isTruncated: Int32 = 0
    var count = 0
    repeat {
      count = bytes.withUnsafeMutableBytes {
        clinux_receive_packet(descriptor, $0.baseAddress, $0.count, &received, &isTruncated)
      }
    } while count < 0 && errno == EINTR
    try check(count, "receive from the mount keeper's peer")
    let packet = Packet(bytes: Array(bytes[..<count]), descriptor: received)
    guard isTruncated == 0 else {
      throw HostError(operation: "receive a packet", errorNumber: EMSGSIZE)
    }
    guard count > 0 else { return nil }
    return packet
  }

  private static func make(_ path: String) throws(HostError) -> Int32 {
    try check(
      socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0),
      "make a socket", at: path)
  }

  private static func address(_ path: String) throws(HostError) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let isFitting = withUnsafeMutableBytes(of: &address.sun_path) { target in
      guard path.utf8.count < target.count else { return false }
      target.copyBytes(from: path.utf8)
      return true
    }
    guard isFitting else {
      throw HostError(
        operation: "use the socket", path: path, errorNumber: ENAMETOOLONG,
        detail: "a Unix socket's path has at most 107 bytes")
    }
    return address
  }
}
