internal import Glibc
package import StorageModel

/// A pool's directory, locked for this process.
///
/// ```
/// pool.json                       identity and format version
/// LOCK                            who has the pool open
/// journal/                        FileJournal
/// segments/<volume>/<number>.seg  FileSegments
/// index/                          RocksIndex
/// keys/                           key files, for this user only
/// ```
package final class PoolDirectory: Sendable {
  package let path: String
  package let description: PoolDescription
  private let lock: PoolLock
  private let root: OpenFile

  package var id: PoolID { description.id }
  package var journalPath: String { "\(path)/journal" }
  package var segmentsPath: String { "\(path)/segments" }
  package var indexPath: String { "\(path)/index" }
  package var keysPath: String { "\(path)/keys" }

  /// Opens the pool at `path`, and makes one if the directory does not exist or is empty.
  ///
  /// - Parameter newID: the identity of a pool that is made.
  /// - Throws: `.io` for what the system refuses; `.readOnly` for a pool in use or a read-only
  ///   file system; `.invalid` for an unknown format version or a directory of something else;
  ///   `.corrupt` for a `pool.json` that cannot be read.
  package static func open(
    path: String, newID: @autoclosure () -> PoolID
  ) throws(StoreError) -> PoolDirectory {
    var path = path
    while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
    do throws(StoreError) {
      try makeDirectory(path)
      return try PoolDirectory(path: path, newID: newID())
    } catch .io(let failure) where failure.errorNumber == EROFS {
      throw .readOnly("the file system of \(path) is read-only (\(failure.explanation))")
    }
  }

  private init(path: String, newID: @autoclosure () -> PoolID) throws(StoreError) {
    let root = try OpenFile(path: path, flags: O_RDONLY | O_DIRECTORY)
    let isPool = try Self.looksLikePool(path)
    guard isPool else {
      throw .invalid(
        "the directory \(path) holds other things than a pool (there is no pool.json); "
          + "give an empty one")
    }
    self.lock = try PoolLock(directory: path)
    self.root = root
    self.path = path
    if let present = try Self.readDescription(path) {
      self.description = present
    } else {
      self.description = try Self.makeDescription(path, newID())
    }
    try makeDirectory("\(path)/keys")
    // Also proves that the pool can be written to, before anything relies on it.
    try root.sync()
  }

  /// Lets another process open the pool. Nothing of it may be used any more.
  package func close() { lock.release() }

  /// - Throws: `.io` with ENOENT if the directory was removed or replaced since it was opened:
  ///   what is written from then on cannot be found again.
  package func checkPresence() throws(StoreError) {
    var found = stat()
    let opened = try root.status()
    guard stat(path, &found) == 0 else { throw systemError("find the pool \(path)") }
    guard found.st_ino == opened.st_ino, found.st_dev == opened.st_dev else {
      throw .io(
        IOFailure(
          operation: "find the pool \(path): another directory is in its place",
          errorNumber: ENOENT))
    }
  }

  /// A pool, an empty directory, or a pool whose making was cut short.
  private static func looksLikePool(_ path: String) throws(StoreError) -> Bool {
    let known: Set<String> = ["pool.json", "pool.json.new", "LOCK", "keys", "lost+found"]
    let names = try names(in: path)
    return names.contains("pool.json") || known.isSuperset(of: names)
  }

  /// nil if there is none yet.
  private static func readDescription(_ path: String) throws(StoreError) -> PoolDescription? {
    let filePath = "\(path)/pool.json"
    let file: OpenFile
    do throws(StoreError) {
      file = try OpenFile(path: filePath, flags: O_RDONLY)
    } catch .io(let failure) where failure.errorNumber == ENOENT {
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = try bytes.withMutableBytes { (target) throws(StoreError) in
      try file.read(into: target, at: 0)
    }
    return try PoolDescription.decode(Array(bytes[..<count]), path: filePath)
  }

  private static func makeDescription(
    _ path: String, _ id: PoolID
  ) throws(StoreError) -> PoolDescription {
    let description = PoolDescription(id: id, created: currentTime())
    try replaceFile("\(path)/pool.json", with: description.encoded())
    return description
  }

  private static func currentTime() -> String {
    var seconds = time(nil)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
