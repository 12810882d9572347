internal import DaemonConfiguration
internal import Glibc

/// Two free TCP ports of loopback, the same as last time if nobody took them.
enum FreePorts {
  static func pair(remembered path: String) throws(Refusal) -> EtcdSupervisor.Ports {
    let last = (try? TextFile.read(path)).map {  // no file: the first start
      $0.split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { UInt16($0) }
    }
    let wanted = last ?? []
    let client = try bound(wanted.first)
    defer { close(client.descriptor) }
    let peer = try bound(wanted.count > 1 ? wanted[1] : nil)
    defer { close(peer.descriptor) }
    let ports = EtcdSupervisor.Ports(client: client.port, peer: peer.port)
    remember(ports, path)
    return ports
  }

  private static func remember(_ ports: EtcdSupervisor.Ports, _ path: String) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return }
    defer { close(file) }
    let text = Array("\(ports.client) \(ports.peer)\n".utf8)
    _ = text.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
  }

  /// A socket on the wanted port, else on any. Connections of the last etcd in TIME_WAIT do not
  /// count: etcd sets SO_REUSEADDR too.
  private static func bound(_ wanted: UInt16?) throws(Refusal) -> (descriptor: Int32, port: UInt16)
  {
    for port in [wanted, 0].compactMap({ $0 }) {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else { break }
      var yes: Int32 = 1
      setsockopt(
        descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
      if let actual = bind(descriptor, port) { return (descriptor, actual) }
      close(descriptor)
    }
    throw Refusal(
      .internal, "no free port on 127.0.0.1: \(String(cString: strerror(errno)))")
  }

  private static func bind(_ descriptor: Int32, _ port: UInt16) -> UInt16? {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        guard Glibc.bind(descriptor, generic, length) == 0,
          getsockname(descriptor, generic, &length) == 0
        else { return nil }
        return UInt16(bigEndian: pointer.pointee.sin_port)
      }
    }
  }
}
