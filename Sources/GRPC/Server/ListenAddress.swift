import CGRPC
import Glibc

/// An address on which a server listens, and how it is protected.
package struct ListenAddress: Sendable {
  package let address: TransportAddress
  package let security: ServerSecurity
  /// Permission bits of a Unix socket.
  package let mode: UInt32

  /// A Unix socket, reachable by whom `mode` admits.
  ///
  /// It appears atomically and ready. One that nobody listens on is replaced; one that answers is
  /// refused.
  package static func unix(path: String, mode: UInt32 = 0o600) -> ListenAddress {
    ListenAddress(address: .unix(path: path), security: .insecure, mode: mode)
  }

  /// A TCP address; port 0 lets the system choose.
  package static func tcp(
    host: String, port: Int, security: ServerSecurity = .insecure
  ) -> ListenAddress {
    ListenAddress(address: .tcp(host: host, port: port), security: security, mode: 0)
  }

  /// Any address.
  package static func address(
    _ address: TransportAddress, security: ServerSecurity = .insecure, mode: UInt32 = 0o600
  ) -> ListenAddress {
    ListenAddress(address: address, security: security, mode: mode)
  }
}

/// Why the system does not let us listen on an address that the C core could not bind.
///
/// The core gives no reason, so we try ourselves.
func diagnoseBindFailure(_ address: TransportAddress) -> GRPCStatus {
  guard case .tcp(let host, let port) = address else {
    return GRPCStatus(.unavailable, "cannot listen on \(address)")
  }
  var hints = addrinfo()
  hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  hints.ai_flags = AI_PASSIVE
  var list: UnsafeMutablePointer<addrinfo>?
  let lookupError = getaddrinfo(host, String(port), &hints, &list)
  guard lookupError == 0, let found = list?.pointee else {
    let reason = gai_strerror(lookupError).map { String(cString: $0) } ?? "unknown host"
    return GRPCStatus(.unavailable, "cannot listen on \(address): \(reason)")
  }
  defer { freeaddrinfo(list) }
  let descriptor = socket(found.ai_family, found.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
  guard descriptor >= 0 else {
    return GRPCStatus(.unavailable, "cannot listen on \(address): \(errnoText())")
  }
  defer { close(descriptor) }
  guard bind(descriptor, found.ai_addr, found.ai_addrlen) != 0 else {
    return GRPCStatus(
      .unavailable, "cannot listen on \(address): check the TLS certificate and its key")
  }
  let isInUse = errno == EADDRINUSE
  return GRPCStatus(
    isInUse ? .alreadyExists : .unavailable, "cannot listen on \(address): \(errnoText())")
}

/// The C library's words for the current errno.
func errnoText() -> String {
  let number = errno
  return strerror(number).map { String(cString: $0) } ?? "errno \(number)"
}
