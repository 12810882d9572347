internal import Glibc

/// An exclusive flock(2) on a file, held until it is released or its process ends.
package struct FileLock: ~Copyable, Sendable {
  private let descriptor: Int32

  /// Takes the lock; nil if another process holds it. Makes the file (mode 0600) if need be.
  package init?(_ path: String) throws(HostError) {
    let file = try check(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600), "open the lock", at: path)
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      close(file)
      if number == EWOULDBLOCK { return nil }
      throw HostError(operation: "lock", path: path, errorNumber: number)
    }
    descriptor = file
  }

  deinit {
    // A child between fork and exec still has the descriptor: closing ours alone would not do.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
