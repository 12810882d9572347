internal import StorageModel

/// Lays out `struct fuse_entry_out`, for the answers that libfuse does not encode for us.
///
/// ```
///   offset size field                offset size field
///        0    8 inode number             72    8 atime, mtime (80), ctime (88)
///        8    8 generation: 0            96    4 nanoseconds of atime, mtime (100), ctime (104)
///       16    8 entry valid, s          108    4 mode
///       24    8 attributes valid, s     112    4 links
///       32    4 entry valid, ns         116    4 user ID, group ID (120)
///       36    4 attributes valid, ns    124    4 device
///       40    8 inode number            (ends with block size and flags)
///       48    8 size
///       56    8 blocks of 512 bytes
/// ```
/// Source: linux/fuse.h, `fuse_entry_out`, `fuse_attr`.
enum EntryLayout {
  static let entryByteCount = 128
  static let attributesByteCount = 88
  private static let attributesOffset = 40

  static func writeZero(to buffer: UnsafeMutableRawBufferPointer, at place: Int) {
    UnsafeMutableRawBufferPointer(rebasing: buffer[place..<place + entryByteCount])
      .initializeMemory(as: UInt8.self, repeating: 0)
  }

  static func write(
    _ attributes: FileAttributes, validity: CacheValidity,
    to buffer: UnsafeMutableRawBufferPointer, at place: Int
  ) {
    put(attributes.inode.rawValue, buffer, place)
    put(UInt64(0), buffer, place + 8)
    put(validity.entrySeconds, buffer, place + 16)
    put(validity.attributeSeconds, buffer, place + 24)
    put(UInt32(0), buffer, place + 32)
    put(UInt32(0), buffer, place + 36)
    writeAttributes(attributes, to: buffer, at: place + attributesOffset)
  }

  /// Lays out `struct fuse_attr`.
  static func writeAttributes(
    _ attributes: FileAttributes, to buffer: UnsafeMutableRawBufferPointer, at place: Int
  ) {
    put(attributes.inode.rawValue, buffer, place)
    put(attributes.sizeBytes, buffer, place + 8)
    put((attributes.allocatedBytes + 511) / 512, buffer, place + 16)
    put(attributes.accessed.seconds, buffer, place + 24)
    put(attributes.modified.seconds, buffer, place + 32)
    put(attributes.changed.seconds, buffer, place + 40)
    put(attributes.accessed.nanoseconds, buffer, place + 48)
    put(attributes.modified.nanoseconds, buffer, place + 52)
    put(attributes.changed.nanoseconds, buffer, place + 56)
    put(attributes.kind.rawValue | attributes.permissions & 0o7777, buffer, place + 60)
    put(attributes.linkCount, buffer, place + 64)
    put(attributes.userID, buffer, place + 68)
    put(attributes.groupID, buffer, place + 72)
    put(attributes.device, buffer, place + 76)
    put(attributes.blockByteCount, buffer, place + 80)
    put(UInt32(0), buffer, place + 84)
  }

  private static func put<Value: FixedWidthInteger & BitwiseCopyable>(
    _ value: Value, _ buffer: UnsafeMutableRawBufferPointer, _ offset: Int
  ) {
    buffer.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }
}
