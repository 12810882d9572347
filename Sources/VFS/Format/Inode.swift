package import StorageModel

/// A file as it is stored.
///
/// Version 1, little-endian:
///
/// | offset | size | field |
/// |---:|---:|---|
/// | 0 | 1 | version |
/// | 1 | 1 | kind: `S_IFMT` bits >> 12 |
/// | 2 | 2 | permissions |
/// | 4 | 4 | links |
/// | 8 | 4 | user |
/// | 12 | 4 | group |
/// | 16 | 4 | device |
/// | 20 | 2 | count of extended attributes |
/// | 22 | 2 | flags: 1 = has `security.capability` |
/// | 24 | 8 | size in bytes; of a directory, count of entries |
/// | 32 | 8 | blocks that the file occupies |
/// | 40 | 8 | end of the occupied blocks; of a directory, inode of its parent |
/// | 48 | 32 | seconds of access, modification, change, birth |
/// | 80 | 16 | nanoseconds of the same |
/// | 96 | | of a symbolic link, its target |
package struct Inode: Hashable, Sendable {
  package let number: InodeNumber
  package var kind: FileKind
  package var permissions: UInt32
  package var linkCount: UInt32
  package var userID: UInt32
  package var groupID: UInt32
  package var device: UInt32 = 0
  var xattrCount: UInt16 = 0
  var hasCapabilities = false
  /// Of a symbolic link, the length of its target; of a directory, 0.
  package var sizeBytes: UInt64 = 0
  /// Of a directory: how many names it holds, without `.` and `..`.
  var entryCount: UInt64 = 0
  var parent = InodeNumber(0)
  /// How many blocks of the object are occupied: exact.
  var blockCount: UInt64 = 0
  /// No block of the object is occupied at or after this one: an upper bound. If it equals
  /// `blockCount`, the object is dense and nobody needs to be asked what is occupied.
  var blockEnd: UInt64 = 0
  var accessed: Timestamp
  var modified: Timestamp
  var changed: Timestamp
  var created: Timestamp
  var target: [UInt8] = []

  /// One byte more than the largest file has: `off_t` is signed, and blocks stay whole.
  static let maximumByteCount: UInt64 = (1 << 63) - UInt64(BlockSize.maximumByteCount)
  static let maximumLinkCount: UInt32 = 65_000
  private static let version: UInt8 = 1
  private static let headByteCount = 96
  private static let capabilitiesFlag: UInt16 = 1

  init(
    number: InodeNumber, kind: FileKind, permissions: UInt32, linkCount: UInt32, userID: UInt32,
    groupID: UInt32, now: Timestamp
  ) {
    self.number = number
    self.kind = kind
    self.permissions = permissions & 0o7777
    self.linkCount = linkCount
    self.userID = userID
    self.groupID = groupID
    accessed = now
    modified = now
    changed = now
    created = now
  }

  var isDirectory: Bool { kind == .directory }
  /// All blocks below `blockEnd` are occupied.
  var isDense: Bool { blockCount == blockEnd }

  func attributes(blockSize: BlockSize) -> FileAttributes {
    FileAttributes(
      inode: number, kind: kind, permissions: permissions, linkCount: linkCount, userID: userID,
      groupID: groupID, device: device,
      sizeBytes: isDirectory ? UInt64(blockSize.byteCount) : sizeBytes,
      allocatedBytes: blockCount << UInt64(blockSize.shift), accessed: accessed,
      modified: modified, changed: changed, created: created,
      blockByteCount: UInt32(blockSize.byteCount))
  }

  /// Clears set-user-ID, and set-group-ID of what its group may execute: a write, truncation or
  /// change of owner by someone without the privilege to keep them.
  mutating func dropPrivilegeBits() {
    permissions &= ~0o4000
    if permissions & 0o010 != 0 { permissions &= ~0o2000 }
  }

  var encoded: [UInt8] {
    var writer = ByteWriter(capacity: Self.headByteCount + target.count)
    writer.append(Self.version)
    writer.append(UInt8(kind.rawValue >> 12))
    writer.append(UInt16(truncatingIfNeeded: permissions))
    for field in [linkCount, userID, groupID, device] { writer.append(field) }
    writer.append(xattrCount)
    writer.append(hasCapabilities ? Self.capabilitiesFlag : 0)
    writer.append(isDirectory ? entryCount : sizeBytes)
    writer.append(blockCount)
    writer.append(isDirectory ? parent.rawValue : blockEnd)
    let times = (accessed, modified, changed, created)
    writer.append(times.0.seconds)
    writer.append(times.1.seconds)
    writer.append(times.2.seconds)
    writer.append(times.3.seconds)
    writer.append(times.0.nanoseconds)
    writer.append(times.1.nanoseconds)
    writer.append(times.2.nanoseconds)
    writer.append(times.3.nanoseconds)
    writer.append(target)
    return writer.bytes
  }

  /// Reads a stored inode; bytes that are none are `StoreError.corrupt`.
  init(decoding bytes: [UInt8], number: InodeNumber) throws(FileSystemFailure) {
    var reader = ByteReader(bytes)
    let version: UInt8 = reader.read()
    let kind = FileKind(rawValue: UInt32(reader.read(UInt8.self)) << 12)
    permissions = UInt32(reader.read(UInt16.self))
    linkCount = reader.read()
    userID = reader.read()
    groupID = reader.read()
    device = reader.read()
    xattrCount = reader.read()
    let flags: UInt16 = reader.read()
    let size: UInt64 = reader.read()
    blockCount = reader.read()
    let end: UInt64 = reader.read()
    let seconds: [Int64] = [reader.read(), reader.read(), reader.read(), reader.read()]
    let nanoseconds: [UInt32] = [reader.read(), reader.read(), reader.read(), reader.read()]
    target = reader.readRest()

    guard version == Self.version else {
      throw .corrupt(
        "inode \(number.rawValue)", expected: "version \(Self.version)", found: "\(version)")
    }
    guard reader.isValid, let kind, permissions <= 0o7777, linkCount <= Self.maximumLinkCount,
      flags <= Self.capabilitiesFlag,
      size <= Self.maximumByteCount, nanoseconds.allSatisfy({ $0 < 1_000_000_000 }),
      Self.isSound(kind: kind, size: size, blocks: blockCount, end: end, target: target)
    else {
      throw .corrupt(
        "inode \(number.rawValue)", expected: "fields in their bounds",
        found: "\(bytes.count) bytes that break them")
    }
    self.number = number
    self.kind = kind
    hasCapabilities = flags & Self.capabilitiesFlag != 0
    if kind == .directory {
      entryCount = size
      parent = InodeNumber(end)
    } else {
      sizeBytes = size
      blockEnd = end
    }
    accessed = Timestamp(seconds: seconds[0], nanoseconds: nanoseconds[0])
    modified = Timestamp(seconds: seconds[1], nanoseconds: nanoseconds[1])
    changed = Timestamp(seconds: seconds[2], nanoseconds: nanoseconds[2])
    created = Timestamp(seconds: seconds[3], nanoseconds: nanoseconds[3])
  }

  /// What a kind asks of the fields whose meaning hangs on it.
  private static func isSound(
    kind: FileKind, size: UInt64, blocks: UInt64, end: UInt64, target: [UInt8]
  ) -> Bool {
    switch kind {
    case .directory: blocks == 0 && target.isEmpty
    case .regular:
      blocks <= end && end <= maximumByteCount / UInt64(BlockSize.minimumByteCount)
        && target.isEmpty
    case .symbolicLink: blocks == 0 && end == 0 && size == UInt64(target.count) && size > 0
    case .fifo, .characterDevice, .blockDevice, .socket:
      blocks == 0 && end == 0 && size == 0 && target.isEmpty
    }
  }
}
