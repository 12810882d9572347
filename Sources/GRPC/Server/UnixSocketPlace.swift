import Glibc

/// The place in the file system where a server's Unix socket appears.
///
/// The socket is bound in a private directory beside its place, gets its permissions there, and is
/// then renamed: nobody sees it before it takes connections, and it replaces a stale one without
/// a moment in which there is none.
struct UnixSocketPlace {
  /// Where clients look for the socket.
  let path: String
  private let directory: String
  /// Where the server binds.
  let bindPath: String
  private let mode: UInt32

  /// Longest path of a socket that the kernel takes.
  static let maximumPathByteCount = 107

  /// Makes the private directory. Throws `alreadyExists` if somebody listens at the path or
  /// something other than a socket lies there.
  init(path: String, mode: UInt32) throws(GRPCStatus) {
    self.path = path
    self.mode = mode
    let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    guard path.utf8.count <= Self.maximumPathByteCount,
      parent.utf8.count + 10 <= Self.maximumPathByteCount
    else {
      throw GRPCStatus(
        .invalidArgument,
        "socket \(path): its path is too long, at most \(Self.maximumPathByteCount) bytes")
    }
    try Self.requireFree(path)
    var template = Array((parent + ".gXXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      throw GRPCStatus(.unavailable, "socket \(path): cannot write beside it: \(errnoText())")
    }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    bindPath = directory + "/s"
  }

  /// Moves the bound socket to its place. Returns what identifies it there.
  func publish() throws(GRPCStatus) -> PublishedSocket {
    defer { discard() }
    guard chmod(bindPath, mode) == 0, let identity = FileIdentity(bindPath) else {
      throw GRPCStatus(.unavailable, "socket \(path): cannot set its mode: \(errnoText())")
    }
    guard rename(bindPath, path) == 0 else {
      throw GRPCStatus(.unavailable, "socket \(path): cannot put it there: \(errnoText())")
    }
    return PublishedSocket(path: path, identity: identity)
  }

  /// Removes what lies beside the place.
  func discard() {
    unlink(bindPath)
    rmdir(directory)
  }

  private static func requireFree(_ path: String) throws(GRPCStatus) {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT { return }
      throw GRPCStatus(.unavailable, "socket \(path): \(errnoText())")
    }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw GRPCStatus(
        .alreadyExists, "socket \(path): something that is not a socket lies there; remove it")
    }
    guard try connectError(path) == ECONNREFUSED else {
      throw GRPCStatus(
        .alreadyExists, "socket \(path): in use, a server answers there; stop it first")
    }
  }

  /// errno of an attempt to connect; 0 when somebody answers.
  private static func connectError(_ path: String) throws(GRPCStatus) -> Int32 {
    let descriptor = socket(
      AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else {
      throw GRPCStatus(.unavailable, "socket \(path): \(errnoText())")
    }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    return result == 0 ? 0 : errno
  }
}

/// A socket that we put at its place.
struct PublishedSocket: Sendable {
  let path: String
  let identity: FileIdentity

  /// Removes the socket, unless another one has taken its place.
  func remove() {
    if FileIdentity(path) == identity { unlink(path) }
  }
}

/// What tells one file from every other.
struct FileIdentity: Hashable, Sendable {
  private let device: UInt
  private let inode: UInt

  /// nil when nothing lies there.
  init?(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
  }
}
