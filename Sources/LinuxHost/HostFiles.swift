internal import Glibc

/// What a path is.
package enum HostFileKind: Hashable, Sendable {
  case absent
  case regular
  case directory
  case blockDevice
  case characterDevice
  case other
}

/// What the host's file system says of its space.
package struct HostSpace: Hashable, Sendable {
  package var totalBytes: UInt64
  /// What processes without root may still use.
  package var availableBytes: UInt64
  package var totalInodes: UInt64
  package var freeInodes: UInt64
}

/// Files and directories of the host. All calls block.
package enum HostFiles {
  package static func contents(of path: String) throws(HostError) -> [UInt8] {
    let file = try check(open(path, O_RDONLY | O_CLOEXEC), "open", at: path)
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      try check(count, "read", at: path)
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
    }
  }

  /// Symbolic links are not followed.
  package static func kind(of path: String) throws(HostError) -> HostFileKind {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return .absent }
      throw HostError(operation: "look at", path: path, errorNumber: errno)
    }
    return switch status.st_mode & S_IFMT {
    case S_IFREG: .regular
    case S_IFDIR: .directory
    case S_IFBLK: .blockDevice
    case S_IFCHR: .characterDevice
    default: .other
    }
  }

  package static func space(at path: String) throws(HostError) -> HostSpace {
    var status = statvfs()
    try check(statvfs(path, &status), "ask for the space", at: path)
    let unit = UInt64(status.f_frsize)
    return HostSpace(
      totalBytes: UInt64(status.f_blocks) * unit, availableBytes: UInt64(status.f_bavail) * unit,
      totalInodes: UInt64(status.f_files), freeInodes: UInt64(status.f_ffree))
  }

  /// Makes a directory and the ones above it; one that exists is fine, a file is not.
  package static func makeDirectory(
    _ path: String, permissions: UInt32 = 0o750
  ) throws(HostError) {
    if mkdir(path, permissions) == 0 { return }
    switch errno {
    case EEXIST:
      guard try kind(of: path) == .directory else {
        throw HostError(operation: "make a directory", path: path, errorNumber: ENOTDIR)
      }
    case ENOENT:
      let parent = parentPath(path)
      guard parent != path, !parent.isEmpty else { fallthrough }
      try makeDirectory(parent, permissions: permissions)
      try check(mkdir(path, permissions), "make a directory", at: path)
    default:
      throw HostError(operation: "make a directory", path: path, errorNumber: errno)
    }
  }

  /// Makes an empty file, to be bound over; one that exists is fine, a directory is not.
  package static func makeFile(_ path: String, permissions: UInt32 = 0o600) throws(HostError) {
    let file = try check(
      open(path, O_CREAT | O_RDONLY | O_CLOEXEC | O_NOFOLLOW, permissions), "make a file", at: path)
    close(file)
    let kind = try kind(of: path)
    guard kind == .regular else {
      throw HostError(
        operation: "make a file", path: path, errorNumber: kind == .directory ? EISDIR : EINVAL)
    }
  }

  /// Removes an empty directory; one that does not exist is fine.
  package static func removeDirectory(_ path: String) throws(HostError) {
    guard rmdir(path) != 0, errno != ENOENT else { return }
    throw HostError(operation: "remove the directory", path: path, errorNumber: errno)
  }

  /// The path without symbolic links, `.` and `..` in its parent. Its last component is not looked
  /// at, so a dead or waiting mount there does no harm.
  package static func canonical(_ path: String) throws(HostError) -> String {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
    guard trimmed.hasPrefix("/"), trimmed != "/" else {
      if trimmed == "/" { return "/" }
      throw HostError(operation: "use a relative path", path: path, errorNumber: EINVAL)
    }
    let name = trimmed.split(separator: "/").last ?? ""
    guard name != "..", name != "." else {
      throw HostError(operation: "use a path that ends in dots", path: path, errorNumber: EINVAL)
    }
    guard let real = realpath(parentPath(String(trimmed)), nil) else {
      throw HostError(operation: "find the parent of", path: path, errorNumber: errno)
    }
    defer { free(real) }
    let parent = String(cString: real)
    return parent == "/" ? "/\(name)" : "\(parent)/\(name)"
  }

  static func parentPath(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

/// An empty directory that nobody can write to, not even root: bound under a mount point, it keeps
/// applications from writing into a path whose file system is not mounted.
package enum GuardDirectory {
  /// Makes the directory that all guards show, and where the host's file system can, immutable.
  package static func prepare(_ path: String) throws(HostError) {
    try HostFiles.makeDirectory(path, permissions: 0o555)
  }

  /// Binds the guard read-only at a mount point, once; the volume is then mounted over it.
  package static func place(_ guardPath: String, at target: String) throws(HostError) {
    guard try !MountTable.current().isMountPoint(target) else { return }
    try Mounts.bind(
      guardPath, at: target, options: MountOptions(["ro", "nosuid", "nodev", "noexec"]))
  }
}
