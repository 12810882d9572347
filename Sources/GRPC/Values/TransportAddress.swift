/// Where a server listens or a client connects.
package enum TransportAddress: Hashable, Sendable, CustomStringConvertible {
  /// A Unix socket in the file system.
  case unix(path: String)
  /// A host name or IP address; port 0 lets the system choose, for a server.
  case tcp(host: String, port: Int)

  /// Parses `unix:///path`, `unix:path`, `/path`, `host:port` and `[IPv6]:port`.
  package init?(_ text: String) {
    if text.hasPrefix("unix://") {
      self.init(unixPath: text.dropFirst(7))
    } else if text.hasPrefix("unix:") {
      self.init(unixPath: text.dropFirst(5))
    } else if text.hasPrefix("/") {
      self.init(unixPath: text[...])
    } else {
      self.init(hostAndPort: text)
    }
  }

  private init?(unixPath: Substring) {
    guard !unixPath.isEmpty else { return nil }
    self = .unix(path: String(unixPath))
  }

  private init?(hostAndPort text: String) {
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty, !host.contains("/") else { return nil }
    self = .tcp(host: String(host), port: Int(port))
  }

  package var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }

  /// The address as the C core parses it: a URI, so a path's special characters are escaped.
  var coreTarget: String {
    guard case .unix(let path) = self else { return description }
    return "unix:" + Self.percentEncoded(path)
  }

  static func percentEncoded(_ path: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)
    return path.utf8.map { byte in
      if plain.contains(byte) { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 16, uppercase: true)
      return "%" + (digits.count < 2 ? "0" : "") + digits
    }.joined()
  }
}
