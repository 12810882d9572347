internal import Glibc
internal import StorageModel

/// The lock that keeps a second daemon out of a pool: flock(2) on the file `LOCK`, which also
/// tells the holder's process. Held until it is let go, or the process ends however it ends.
final class PoolLock: Sendable {
  private let file: OpenFile

  /// - Throws: `.readOnly` with the holder's process number if another one holds it.
  init(directory: String) throws(StoreError) {
    let file = try OpenFile(path: "\(directory)/LOCK", flags: O_RDWR | O_CREAT, mode: 0o644)
    while flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      guard errno == EWOULDBLOCK else { throw systemError("lock \(file.path)") }
      throw .readOnly(
        "the storage path \(directory) is in use by \(Self.holder(in: file)); "
          + "stop that daemon or give this one another storage path")
    }
    self.file = file
    guard ftruncate(file.descriptor, 0) == 0 else { throw systemError("write \(file.path)") }
    let text = Array("\(getpid())\n".utf8)
    try text.withBytes { (bytes) throws(StoreError) in try file.write(bytes, at: 0) }
  }

  /// Lets others open the pool.
  func release() { flock(file.descriptor, LOCK_UN) }

  private static func holder(in file: OpenFile) -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    // The number only helps a person to find the holder; without it the message is still right.
    let count =
      (try? bytes.withMutableBytes { (target) throws(StoreError) in
        try file.read(into: target, at: 0)
      }) ?? 0
    let digits = bytes[..<count].prefix { $0 != 0x0A }
    guard let process = Int32(String(decoding: digits, as: UTF8.self)) else {
      return "another process"
    }
    return "process \(process)"
  }
}
