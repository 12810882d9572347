internal import Glibc

/// One mount of this process's mount namespace: a line of `/proc/self/mountinfo` (proc(5)).
package struct MountEntry: Hashable, Sendable {
  package var id: Int
  package var parentID: Int
  /// `major:minor`: what is mounted; the same for all bind mounts of one file system.
  package var device: String
  /// The directory of the file system that is mounted, `/` unless it is a bind of a part.
  package var root: String
  package var path: String
  /// Per-mount options, `ro` or `rw` first.
  package var options: [String]
  package var type: String
  package var source: String
  package var superOptions: [String]

  /// Whether its file system makes every write durable at once.
  package var isSynchronous: Bool { superOptions.contains("sync") }

  /// Whether writing through this mount is refused, by the mount or by its file system.
  package var isReadOnly: Bool { options.contains("ro") || superOptions.contains("ro") }
}

/// The mounts of this process, in the kernel's order: a later one at the same path hides earlier.
package struct MountTable: Hashable, Sendable {
  package let entries: [MountEntry]

  package init(entries: [MountEntry]) { self.entries = entries }

  /// Reads the table as it is now.
  package static func current() throws(HostError) -> MountTable {
    MountTable(parsing: try HostFiles.contents(of: "/proc/self/mountinfo"))
  }

  /// Lines that are not as proc(5) says are left out.
  package init(parsing text: [UInt8]) {
    entries = text.split(separator: UInt8(ascii: "\n")).compactMap(Self.entry)
  }

  /// What is visible at a path, if it is a mount point. The path has to be canonical.
  package func top(at path: String) -> MountEntry? { entries.last { $0.path == path } }

  package func isMountPoint(_ path: String) -> Bool { entries.contains { $0.path == path } }

  /// All mounts at a path, the visible one last.
  package func stack(at path: String) -> [MountEntry] { entries.filter { $0.path == path } }

  /// The mounts at a path and below it.
  package func under(_ path: String) -> [MountEntry] {
    let prefix = path.hasSuffix("/") ? path : path + "/"
    return entries.filter { $0.path == path || $0.path.hasPrefix(prefix) }
  }

  /// All places where one file system is mounted.
  package func mounts(ofDevice device: String) -> [MountEntry] {
    entries.filter { $0.device == device }
  }

  private static func entry(_ line: ArraySlice<UInt8>) -> MountEntry? {
    let fields = line.split(separator: UInt8(ascii: " "))
    // Optional fields stand between the sixth and a lone hyphen.
    guard fields.count >= 9,
      let separator = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
      fields.count >= separator + 3,
      let id = Int(text(fields[0])), let parentID = Int(text(fields[1]))
    else { return nil }
    return MountEntry(
      id: id, parentID: parentID, device: text(fields[2]), root: unescaped(fields[3]),
      path: unescaped(fields[4]), options: list(fields[5]), type: text(fields[separator + 1]),
      source: unescaped(fields[separator + 2]),
      superOptions: fields.count > separator + 3 ? list(fields[separator + 3]) : [])
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  private static func list(_ bytes: ArraySlice<UInt8>) -> [String] {
    bytes.split(separator: UInt8(ascii: ",")).map(text)
  }

  /// Blank, tab, newline and backslash are written as three octal digits.
  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
    guard bytes.contains(UInt8(ascii: "\\")) else { return text(bytes) }
    var result: [UInt8] = []
    var rest = bytes
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        let value = UInt8(text(digits), radix: 8)
      {
        result.append(value)
        rest = rest.dropFirst(3)
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
