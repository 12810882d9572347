internal import Glibc
internal import StorageModel

/// An open file or directory; closed when its last user lets go.
final class OpenFile: Sendable {
  let descriptor: Int32
  /// For errors.
  let path: String

  /// - Parameter flags: of open(2); close-on-exec is added.
  init(path: String, flags: Int32, mode: mode_t = 0o600) throws(StoreError) {
    var descriptor: Int32
    repeat {
      descriptor = open(path, flags | O_CLOEXEC, mode)
    } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw systemError("open \(path)") }
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Writes all bytes at `offset`.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StoreError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw systemError("write \(bytes.count) bytes at \(offset) of \(path)", orIfNone: ENOSPC)
      }
      done += count
    }
  }

  /// Writes three buffers one after the other at `offset`, normally with one system call.
  func write(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
    _ third: UnsafeRawBufferPointer, at offset: Int
  ) throws(StoreError) {
    let total = first.count + second.count + third.count
    let written = withUnsafeTemporaryAllocation(of: iovec.self, capacity: 3) { vector in
      vector.initializeElement(at: 0, to: Self.vectorElement(first))
      vector.initializeElement(at: 1, to: Self.vectorElement(second))
      vector.initializeElement(at: 2, to: Self.vectorElement(third))
      return pwritev(descriptor, vector.baseAddress, 3, off_t(offset))
    }
    guard written != total else { return }
    guard written >= 0 || errno == EINTR else {
      throw systemError("write \(total) bytes at \(offset) of \(path)")
    }
    // Rare: interrupted or cut short; written again piece by piece.
    try write(first, at: offset)
    try write(second, at: offset + first.count)
    try write(third, at: offset + first.count + second.count)
  }

  /// Reads until `target` is full or the file ends; returns the bytes read.
  func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(StoreError) -> Int {
    var done = 0
    while done < target.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw systemError("read \(target.count) bytes at \(offset) of \(path)")
      }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// On return the file's bytes, and its length, are on stable storage.
  func syncData() throws(StoreError) {
    while fdatasync(descriptor) != 0 {
      guard errno == EINTR else { throw systemError("sync \(path)") }
    }
  }

  /// On return the file or directory is on stable storage whole.
  func sync() throws(StoreError) {
    while fsync(descriptor) != 0 {
      guard errno == EINTR else { throw systemError("sync \(path)") }
    }
  }

  func status() throws(StoreError) -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemError("examine \(path)") }
    return status
  }

  private static func vectorElement(_ buffer: UnsafeRawBufferPointer) -> iovec {
    iovec(iov_base: UnsafeMutableRawPointer(mutating: buffer.baseAddress), iov_len: buffer.count)
  }
}
