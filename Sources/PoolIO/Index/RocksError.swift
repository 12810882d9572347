internal import CRocksDB
internal import Glibc
internal import StorageModel

extension RocksIndex {
  /// Calls RocksDB, and throws what it says went wrong.
  static func checked<R>(
    _ operation: @autoclosure () -> String,
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) throws(StoreError) -> R {
    var message: UnsafeMutablePointer<CChar>?
    let result = body(&message)
    guard let message else { return result }
    let text = String(cString: message)
    rocksdb_free(message)
    throw storeError(text, operation())
  }

  /// RocksDB gives its status as text, the kind of error in front (`Status::ToString`).
  static func storeError(_ text: String, _ operation: String) -> StoreError {
    if text.hasPrefix("Corruption") {
      return .corrupt(Corruption(place: "index", expected: "sound files", found: text))
    }
    if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
      return .poolFull
    }
    let number =
      knownErrors.first { text.contains($0.text) }?.number ?? EIO
    return .io(IOFailure(operation: "\(operation) (\(text))", errorNumber: number))
  }

  private static let knownErrors: [(text: String, number: Int32)] = [
    ("Permission denied", EACCES), ("Read-only file system", EROFS),
    ("No such file or directory", ENOENT), ("Too many open files", EMFILE),
    ("Resource temporarily unavailable", EAGAIN),
  ]
}

/// The pause between two looks at a flush that is under way.
enum IndexPause {
  private static let microseconds: UInt32 = 500

  static func wait() { usleep(microseconds) }
}
