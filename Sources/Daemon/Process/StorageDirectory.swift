internal import DaemonConfiguration
internal import Glibc
internal import StorageModel

/// The directory under `--storage-path`, held by one daemon at a time.
///
/// | entry | what it is |
/// |---|---|
/// | `lock` | locked (flock(2)) while a daemon runs; holds its process number |
/// | `node-id` | the node's identifier, made at the first start |
/// | `etcd/` | data of the managed etcd |
/// | the rest | the pool and its keys |
final class StorageDirectory: Sendable {
  let path: String
  private let lock: Int32

  /// Makes the directory and takes its lock. Throws `Refusal`: precondition if another daemon has
  /// it or it cannot be made or written.
  init(_ path: String) throws(Refusal) {
    self.path = path
    try Self.make(path)
    let file = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Self.refusal("write to", path) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let holder = (try? TextFile.read(path + "/lock"))?.filter { $0.isNumber } ?? ""
      close(file)
      throw .precondition(
        "another daemon (process \(holder.isEmpty ? "unknown" : holder)) runs on "
          + "--storage-path \(path); stop it or choose another path")
    }
    let text = Array("\(getpid())\n".utf8)
    ftruncate(file, 0)
    _ = text.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
    lock = file
  }

  deinit { close(lock) }

  /// The node's identifier, the same at every start.
  func nodeID() throws(Refusal) -> UUIDValue {
    let file = path + "/node-id"
    if access(file, F_OK) == 0 {
      let text = try TextFile.read(file)
      guard let id = UUIDValue(text.filter { $0 != "\n" }) else {
        throw Refusal(
          .internal,
          "\(file) is damaged: expected a UUID; restore it, or remove it to give the "
            + "node a new identity")
      }
      return id
    }
    var generator = SystemRandomNumberGenerator()
    let id = UUIDValue(randomFrom: &generator)
    try write("\(id)\n", to: file)
    return id
  }

  /// Whole or not at all, and durable on return.
  private func write(_ text: String, to file: String) throws(Refusal) {
    let draft = file + ".new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.refusal("write", draft) }
    let bytes = Array(text.utf8)
    let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    let isWhole = count == bytes.count && fsync(descriptor) == 0
    close(descriptor)
    guard isWhole, rename(draft, file) == 0 else { throw Self.refusal("write", file) }
    let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw Self.refusal("open", path) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw Self.refusal("sync", path) }
  }

  /// Makes the directory and those above it.
  static func make(_ path: String) throws(Refusal) {
    var prefix = ""
    for part in path.split(separator: "/") {
      prefix += "/" + part
      if mkdir(prefix, 0o755) != 0, errno != EEXIST { throw refusal("make directory", prefix) }
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw .precondition("\(path) is not a directory")
    }
  }

  /// Relative paths are relative to where the daemon was started.
  static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let pointer = getcwd(nil, 0) else { return path }
    defer { free(pointer) }
    let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    return String(cString: pointer) + "/" + relative
  }

  private static func refusal(_ what: String, _ path: String) -> Refusal {
    Refusal(
      errno == ENOSPC ? .exhausted : .precondition,
      "cannot \(what) \(path): \(String(cString: strerror(errno)))")
  }
}
