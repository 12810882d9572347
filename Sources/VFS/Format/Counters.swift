import StorageModel

/// What the file system knows of itself as a whole.
///
/// Version 1, little-endian: version (1), next inode number (8), files (8), directories (8).
package struct Counters: Hashable, Sendable {
  var nextInode: UInt64
  /// Files of all kinds but directories that have a name.
  package var files: UInt64
  /// Directories, the root included.
  package var directories: UInt64

  private static let version: UInt8 = 1
  /// Far more than any volume holds, far below overflow.
  private static let bound: UInt64 = 1 << 62

  init(nextInode: UInt64, files: UInt64, directories: UInt64) {
    self.nextInode = nextInode
    self.files = files
    self.directories = directories
  }

  var encoded: [UInt8] {
    var writer = ByteWriter(capacity: 25)
    writer.append(Self.version)
    writer.append(nextInode)
    writer.append(files)
    writer.append(directories)
    return writer.bytes
  }

  /// Reads the stored counters; bytes that are none are `StoreError.corrupt`.
  init(decoding bytes: [UInt8]) throws(FileSystemFailure) {
    var reader = ByteReader(bytes)
    let version: UInt8 = reader.read()
    nextInode = reader.read()
    files = reader.read()
    directories = reader.read()
    guard version == Self.version else {
      throw .corrupt(
        "counters of the file system", expected: "version \(Self.version)", found: "\(version)")
    }
    guard reader.isValid, reader.isAtEnd, directories > 0, nextInode > InodeNumber.root.rawValue,
      max(nextInode, files, directories) < Self.bound
    else {
      throw .corrupt(
        "counters of the file system", expected: "25 bytes in their bounds",
        found: "\(bytes.count) bytes that break them")
    }
  }
}

extension UInt64 {
  /// Less, but never below zero: counts that came from disk must not trap.
  func decreased(by amount: UInt64) -> UInt64 { self > amount ? self - amount : 0 }
}
