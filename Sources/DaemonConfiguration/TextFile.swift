internal import Glibc

/// Reads files that people write: configuration, classes, tokens.
package enum TextFile {
  /// Larger files are not meant to be read here.
  package static let maximumByteCount = 1 << 20

  /// The text of a file; `-` is standard input. Throws `Refusal` (invalid) with what is wrong.
  package static func read(_ path: String) throws(Refusal) -> String {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw .invalid("cannot read \(path): \(reason)")
    }
    defer { if path != "-" { close(descriptor) } }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw .invalid("cannot read \(path): \(String(cString: strerror(errno)))")
      }
      bytes += buffer[..<count]
      if bytes.count > maximumByteCount {
        throw .invalid("\(path) is too large; at most \(maximumByteCount) bytes are read")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .invalid("\(path) is not text: it is not UTF-8")
    }
    return text
  }

  /// A secret of one line from a file that nobody but its owner may read (mode 0600 or less).
  package static func readSecret(_ path: String) throws(Refusal) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw .invalid("cannot read \(path): \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw .invalid(
        "\(path) can be read by others (mode \(String(status.st_mode & 0o777, radix: 8))); "
          + "make it private: chmod 600 \(path)")
    }
    let text = try read(path)
    let token = String(text.prefix { $0 != "\n" && $0 != "\r\n" })
    guard token.utf8.count >= 16, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw .invalid(
        "\(path) must hold a token of 16 or more printable characters without blanks")
    }
    return token
  }
}
