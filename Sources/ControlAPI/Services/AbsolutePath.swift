internal import DaemonConfiguration

/// A path that a client names: absolute, without `.`, `..` and doubled slashes.
enum AbsolutePath {
  /// PATH_MAX of Linux, without its zero.
  private static let maximumByteCount = 4095

  /// Throws `Refusal` (invalid) for relative, empty, over-long paths and zero bytes.
  static func normalized(_ path: String, what: String) throws(Refusal) -> String {
    guard path.hasPrefix("/") else {
      throw .invalid("\(what) \"\(path.prefix(200))\" must be an absolute path")
    }
    guard path.utf8.count <= maximumByteCount, !path.utf8.contains(0) else {
      throw .invalid(
        "\(what) is too long or has a zero byte; at most \(maximumByteCount) bytes are allowed")
    }
    var parts: [Substring] = []
    for part in path.split(separator: "/") {
      switch part {
      case ".": break
      case "..": _ = parts.popLast()
      default: parts.append(part)
      }
    }
    guard !parts.isEmpty else { throw .invalid("\(what) must not be the root directory") }
    return "/" + parts.joined(separator: "/")
  }
}
