/// A host and a port, as in `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
  /// Without brackets.
  package let host: String
  /// 0 asks the kernel for any free port.
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Throws `Refusal` (invalid) that names `what` and shows the right form.
  package init(parsing text: String, what: String) throws(Refusal) {
    let refusal = Refusal.invalid(
      "\(what) \"\(text)\" is not an address; write HOST:PORT, such as 127.0.0.1:8080 or "
        + "[::1]:8080, with a port from 0 to 65535")
    guard let colon = text.lastIndex(of: ":"),
      let port = Self.port(text[text.index(after: colon)...])
    else { throw refusal }
    var host = text[..<colon]
    if host.first == "[", host.last == "]" {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      throw refusal
    }
    let isProper = host.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: ":"), UInt8(ascii: "%"):
        true
      default: false
      }
    }
    guard !host.isEmpty, isProper, host.utf8.count <= 255 else { throw refusal }
    self.init(host: String(host), port: port)
  }

  /// Whether only this machine can reach it. Names other than `localhost` count as outside.
  package var isLoopback: Bool {
    if host.lowercased() == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  package var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  private static func port(_ text: Substring) -> UInt16? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return UInt16(text)
  }
}
