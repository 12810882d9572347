private import Glibc
private import StorageModel

/// The file that holds a node's master key: 32 raw bytes, mode 0600, owned by the daemon's user.
package enum KeyFile {
  /// Opens the key file, and makes it with a fresh random key if there is none.
  ///
  /// A new file is complete and on stable storage before it appears under its name, and never
  /// replaces an existing one.
  package static func openOrCreate(path: String) throws(KeyError) -> MasterKey {
    do throws(KeyError) {
      return try open(path: path)
    } catch .io(let failure) where failure.errorNumber == ENOENT {
      return try create(path: path)
    }
  }

  /// - Throws: `.io` with ENOENT if there is none; `.refused` if it is not a regular file of 32
  ///   bytes that belongs to this user and to nobody else's eyes.
  package static func open(path: String) throws(KeyError) -> MasterKey {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == ELOOP { throw .refused(path: path, reason: "it is a symbolic link") }
      throw failure("open key file \(path)")
    }
    defer { close(descriptor) }
    try check(descriptor, path)
    var readByteCount = 0
    let secret = SecretBytes(byteCount: MasterKey.byteCount) { target in
      readByteCount = Glibc.read(descriptor, target.baseAddress, target.count)
      return readByteCount == target.count
    }
    guard let secret else {
      if readByteCount < 0 { throw failure("read key file \(path)") }
      throw .refused(path: path, reason: "it got shorter while it was read")
    }
    return try MasterKey(secret)
  }

  /// Makes the key file; fails with EEXIST if there is one.
  package static func create(path: String) throws(KeyError) -> MasterKey {
    let secret = try SecretBytes.random(byteCount: MasterKey.byteCount)
    let temporaryPath = "\(path).\(getpid()).new"
    try write(secret, to: temporaryPath)
    defer { unlink(temporaryPath) }
    // link(2) refuses an existing name, unlike rename(2).
    guard link(temporaryPath, path) == 0 else { throw failure("create key file \(path)") }
    try syncDirectory(of: path)
    return try MasterKey(secret)
  }

  private static func write(_ secret: SecretBytes, to path: String) throws(KeyError) {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("create key file \(path)") }
    defer { close(descriptor) }
    let written = secret.withBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard written == secret.byteCount else {
      let error = written < 0 ? errno : ENOSPC
      unlink(path)
      throw .io(IOFailure(operation: "write key file \(path)", errorNumber: error))
    }
    guard fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0 else {
      let error = failure("sync key file \(path)")
      unlink(path)
      throw error
    }
  }

  private static func check(_ descriptor: Int32, _ path: String) throws(KeyError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("examine key file \(path)") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .refused(path: path, reason: "it is not a regular file")
    }
    guard status.st_uid == geteuid() else {
      throw .refused(
        path: path, reason: "it belongs to user \(status.st_uid), the daemon is \(geteuid())")
    }
    guard status.st_mode & 0o077 == 0 else {
      let mode = String(status.st_mode & 0o7777, radix: 8)
      throw .refused(
        path: path, reason: "its mode is 0\(mode), others can read it; run chmod 600 on it")
    }
    guard status.st_size == MasterKey.byteCount else {
      throw .refused(
        path: path, reason: "expected \(MasterKey.byteCount) bytes, found \(status.st_size)")
    }
  }

  private static func syncDirectory(of path: String) throws(KeyError) {
    let end = path.lastIndex(of: "/")
    let directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open directory \(directory)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("sync directory \(directory)") }
  }

  private static func failure(_ operation: String) -> KeyError {
    .io(IOFailure(operation: operation, errorNumber: errno))
  }
}
