internal import DiskFormat
internal import Glibc
internal import IOSeams
internal import StorageModel

/// A segment file that holds records: from `start` on, behind the header's block.
struct JournalSegmentFile: Sendable {
  let file: OpenFile
  let sequence: UInt64
  let start: JournalPosition
  /// Of the file, header's block included.
  let byteCount: Int

  /// Where a position's byte lies in the file.
  func offset(of position: JournalPosition) -> Int {
    JournalSegmentHeader.blockByteCount + Int(position.rawValue - start.rawValue)
  }

  func position(ofOffset offset: Int) -> JournalPosition {
    start.advanced(byByteCount: offset - JournalSegmentHeader.blockByteCount)
  }

  static let nameSuffix = ".journal"
  /// Of files that are not whole yet; left over only by a crash.
  static let temporarySuffix = ".new"

  static func name(number: UInt32) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits + nameSuffix
  }

  /// nil for names that are not a segment file's.
  static func number(of name: String) -> UInt32? {
    guard name.hasSuffix(nameSuffix), name.utf8.count == 8 + nameSuffix.utf8.count else {
      return nil
    }
    return UInt32(name.dropLast(nameSuffix.utf8.count), radix: 16)
  }

  /// Makes a file of zeros that is durable with its length and all its extents, so that a later
  /// fdatasync writes data only.
  static func create(path: String, byteCount: Int) throws(StoreError) -> OpenFile {
    let temporaryPath = path + temporarySuffix
    do throws(StoreError) {
      let file = try OpenFile(path: temporaryPath, flags: O_RDWR | O_CREAT | O_TRUNC)
      let result = posix_fallocate(file.descriptor, 0, off_t(byteCount))
      guard result == 0 || result == EOPNOTSUPP || result == EINVAL else {
        errno = result
        throw systemError("allocate \(byteCount) bytes for \(path)")
      }
      try fillWithZeros(file, 0..<byteCount)
      try file.sync()
      guard rename(temporaryPath, path) == 0 else { throw systemError("create \(path)") }
      try syncDirectory(parent(of: path))
      return file
    } catch {
      unlink(temporaryPath)
      throw error
    }
  }

  static func fillWithZeros(_ file: OpenFile, _ range: Range<Int>) throws(StoreError) {
    let pieceByteCount = 1 << 20
    let zeros = [UInt8](repeating: 0, count: min(pieceByteCount, range.count))
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: pieceByteCount) {
      let count = min(pieceByteCount, range.upperBound - offset)
      try zeros.withBytes { (bytes) throws(StoreError) in
        try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
      }
    }
  }
}
