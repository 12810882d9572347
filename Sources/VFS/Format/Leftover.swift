import StorageModel

/// What an inode still has to give back: itself, once nobody has it open, and blocks behind the
/// end of a large file that was cut.
///
/// States: held orphan → purged orphan → gone; stale blocks → gone. An orphan may have stale
/// blocks as well; purging takes both.
///
/// Version 1, little-endian: version (1), flags (1: 1 = orphan, 2 = purged), first block (8), end
/// block (8), count of occupied blocks (8).
struct Leftover: Hashable {
  /// No name leads to the inode.
  var isOrphan = false
  /// Nobody can reach the inode any more; it is being taken apart.
  var isPurged = false
  /// Blocks in `firstBlock ..< endBlock` are no longer the file's and wait to be freed.
  var firstBlock: UInt64 = 0
  var endBlock: UInt64 = 0
  var blockCount: UInt64 = 0
  /// How many blocks the next step looks at; found anew after a restart.
  var stepWidth: UInt64 = 0

  private static let version: UInt8 = 1
  private static let bound = Inode.maximumByteCount / UInt64(BlockSize.minimumByteCount)

  init() {}

  /// There is something to do for `FileSystem.reclaim`.
  var isReclaimable: Bool { isPurged || blockCount > 0 }
  var isNothing: Bool { !isOrphan && !isReclaimable }

  var encoded: [UInt8] {
    var writer = ByteWriter(capacity: 26)
    writer.append(Self.version)
    writer.append((isOrphan ? 1 : 0) | (isPurged ? 2 : 0) as UInt8)
    writer.append(firstBlock)
    writer.append(endBlock)
    writer.append(blockCount)
    return writer.bytes
  }

  /// Reads a stored leftover; bytes that are none are `StoreError.corrupt`.
  init(decoding bytes: [UInt8], inode: InodeNumber) throws(FileSystemFailure) {
    var reader = ByteReader(bytes)
    let version: UInt8 = reader.read()
    let flags: UInt8 = reader.read()
    firstBlock = reader.read()
    endBlock = reader.read()
    blockCount = reader.read()
    guard version == Self.version else {
      throw .corrupt(
        "leftover of inode \(inode.rawValue)", expected: "version \(Self.version)",
        found: "\(version)")
    }
    guard reader.isValid, reader.isAtEnd, flags != 2, flags < 4, endBlock <= Self.bound,
      firstBlock <= endBlock, blockCount <= endBlock - firstBlock
    else {
      throw .corrupt(
        "leftover of inode \(inode.rawValue)", expected: "26 bytes in their bounds",
        found: "\(bytes.count) bytes that break them")
    }
    isOrphan = flags & 1 != 0
    isPurged = flags & 2 != 0
  }
}
