import StorageModel

/// The extended attributes of one inode whose names share a hash: almost always one.
///
/// Version 1, little-endian: version (1), then for each attribute length of the name (1), length
/// of the value (4), name, value.
struct XattrBucket: Hashable {
  struct Xattr: Hashable {
    var name: [UInt8]
    var value: [UInt8]
  }

  private(set) var xattrs: [Xattr] = []

  /// `XATTR_NAME_MAX` and `XATTR_SIZE_MAX` of linux/limits.h.
  static let maximumNameByteCount = 255
  static let maximumValueByteCount = 64 << 10
  private static let version: UInt8 = 1

  init() {}

  var isEmpty: Bool { xattrs.isEmpty }

  func value(of name: [UInt8]) -> [UInt8]? { xattrs.first { $0.name == name }?.value }

  mutating func set(_ name: [UInt8], _ value: [UInt8]) {
    if let index = xattrs.firstIndex(where: { $0.name == name }) {
      xattrs[index].value = value
    } else {
      xattrs.append(Xattr(name: name, value: value))
    }
  }

  mutating func remove(_ name: [UInt8]) { xattrs.removeAll { $0.name == name } }

  var encoded: [UInt8] {
    var writer = ByteWriter(
      capacity: xattrs.reduce(1) { $0 + 5 + $1.name.count + $1.value.count })
    writer.append(Self.version)
    for xattr in xattrs {
      writer.append(UInt8(truncatingIfNeeded: xattr.name.count))
      writer.append(UInt32(truncatingIfNeeded: xattr.value.count))
      writer.append(xattr.name)
      writer.append(xattr.value)
    }
    return writer.bytes
  }

  /// Reads a stored bucket; bytes that are none are `StoreError.corrupt`.
  init(decoding bytes: [UInt8], inode: InodeNumber) throws(FileSystemFailure) {
    var reader = ByteReader(bytes)
    let version: UInt8 = reader.read()
    guard version == Self.version else {
      throw .corrupt(
        "extended attribute of inode \(inode.rawValue)", expected: "version \(Self.version)",
        found: "\(version)")
    }
    repeat {
      let nameByteCount = Int(reader.read(UInt8.self))
      let valueByteCount = Int(reader.read(UInt32.self))
      let name = reader.read(byteCount: nameByteCount)
      let value = reader.read(byteCount: valueByteCount)
      guard reader.isValid, !name.isEmpty, valueByteCount <= Self.maximumValueByteCount else {
        throw .corrupt(
          "extended attribute of inode \(inode.rawValue)", expected: "name and value",
          found: "\(bytes.count) bytes that are none")
      }
      xattrs.append(Xattr(name: name, value: value))
    } while !reader.isAtEnd
  }
}
