import Glibc

/// The files of this repository, as the tests see them.
enum Repository {
  /// The directory that holds Package.swift, symbolic links resolved.
  static let root: String = {
    let resolved = realpath(#filePath, nil)
    defer { free(resolved) }
    let path = resolved.map { String(cString: $0) } ?? #filePath
    return path.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
      .joined(separator: "/")
  }()

  /// A file's text; `path` is relative to the root.
  static func text(_ path: String) throws -> String {
    let file = open("\(root)/\(path)", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Unreadable(path: path, errorNumber: errno) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(file, &piece, piece.count)
      guard count >= 0 else { throw Unreadable(path: path, errorNumber: errno) }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += piece[..<count]
    }
  }

  /// All files below `directory` whose name ends in `suffix`, relative to the root, in order.
  static func files(below directory: String, suffix: String) throws -> [String] {
    guard let stream = opendir("\(root)/\(directory)") else {
      throw Unreadable(path: directory, errorNumber: errno)
    }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix(".") { continue }
      if entry.pointee.d_type == DT_DIR {
        found += try files(below: "\(directory)/\(name)", suffix: suffix)
      } else if name.hasSuffix(suffix) {
        found.append("\(directory)/\(name)")
      }
    }
    return found.sorted()
  }

  static func exists(_ path: String) -> Bool { access("\(root)/\(path)", F_OK) == 0 }

  struct Unreadable: Error {
    let path: String
    let errorNumber: Int32
  }
}
