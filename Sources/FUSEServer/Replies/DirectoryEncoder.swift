package import StorageModel

/// Lays out directory entries as the kernel reads them.
///
/// ```
/// readdir:      struct fuse_dirent
///   offset size field
///        0    8 inode number
///        8    8 position of the next entry
///       16    4 bytes of the name
///       20    4 type: S_IFMT bits >> 12
///       24    n name, padded to 8 bytes
/// readdirplus:  struct fuse_entry_out (128 bytes), then the same
/// ```
/// Source: linux/fuse.h, `fuse_dirent`, `fuse_direntplus`.
package struct DirectoryEncoder {
  package let includesAttributes: Bool
  private let buffer: UnsafeMutableRawBufferPointer
  private var usedByteCount = 0

  private static let headByteCount = 24

  /// Encodes into `buffer`, which stays the caller's.
  package init(_ buffer: UnsafeMutableRawBufferPointer, includesAttributes: Bool) {
    self.buffer = buffer
    self.includesAttributes = includesAttributes
  }

  package var capacityByteCount: Int { buffer.count }
  package var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: buffer[..<usedByteCount])
  }

  /// Adds an entry; where attributes are wanted, one that gives the kernel no inode.
  package mutating func add(
    name: UnsafeRawBufferPointer, inode: InodeNumber, kind: FileKind, nextPosition: UInt64
  ) -> Bool {
    guard let start = reserve(nameByteCount: name.count) else { return false }
    var place = start
    if includesAttributes {
      EntryLayout.writeZero(to: buffer, at: place)
      place += EntryLayout.entryByteCount
    }
    writeHead(name, inode: inode, kind: kind, nextPosition: nextPosition, at: place)
    return true
  }

  package mutating func add(
    name: UnsafeRawBufferPointer, attributes: FileAttributes, validity: CacheValidity,
    nextPosition: UInt64
  ) -> Bool {
    guard let start = reserve(nameByteCount: name.count) else { return false }
    var place = start
    if includesAttributes {
      EntryLayout.write(attributes, validity: validity, to: buffer, at: place)
      place += EntryLayout.entryByteCount
    }
    writeHead(
      name, inode: attributes.inode, kind: attributes.kind, nextPosition: nextPosition, at: place)
    return true
  }

  private mutating func reserve(nameByteCount: Int) -> Int? {
    let entry = includesAttributes ? EntryLayout.entryByteCount : 0
    let needed = entry + (Self.headByteCount + nameByteCount + 7) & ~7
    guard needed <= buffer.count - usedByteCount else { return nil }
    defer { usedByteCount += needed }
    return usedByteCount
  }

  private func writeHead(
    _ name: UnsafeRawBufferPointer, inode: InodeNumber, kind: FileKind, nextPosition: UInt64,
    at place: Int
  ) {
    buffer.storeBytes(of: inode.rawValue, toByteOffset: place, as: UInt64.self)
    buffer.storeBytes(of: nextPosition, toByteOffset: place + 8, as: UInt64.self)
    buffer.storeBytes(of: UInt32(name.count), toByteOffset: place + 16, as: UInt32.self)
    buffer.storeBytes(of: kind.rawValue >> 12, toByteOffset: place + 20, as: UInt32.self)
    let nameStart = place + Self.headByteCount
    let nameEnd = nameStart + name.count
    UnsafeMutableRawBufferPointer(rebasing: buffer[nameStart..<nameEnd]).copyMemory(from: name)
    let paddedEnd = place + (Self.headByteCount + name.count + 7) & ~7
    for index in nameEnd..<paddedEnd { buffer[index] = 0 }
  }
}
