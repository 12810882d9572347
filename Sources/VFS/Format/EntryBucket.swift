import StorageModel

/// The names of one directory that share a hash: almost always one.
///
/// Keeping them in one value makes each lookup one read, found or not. An entry keeps its slot,
/// hence its readdir position, for life.
///
/// Version 1, little-endian: version (1), then for each entry slot (1), kind as `S_IFMT` >> 12
/// (1), inode (8), length of the name (1), name.
struct EntryBucket: Hashable {
  struct Entry: Hashable {
    var slot: UInt8
    var kind: FileKind
    var inode: InodeNumber
    var name: [UInt8]
  }

  private(set) var entries: [Entry] = []

  private static let version: UInt8 = 1

  init() {}

  var isEmpty: Bool { entries.isEmpty }

  func entry(named name: [UInt8]) -> Entry? { entries.first { $0.name == name } }

  /// Adds a name or changes what it leads to; false if all 256 slots are taken.
  mutating func set(_ name: [UInt8], inode: InodeNumber, kind: FileKind) -> Bool {
    if let index = entries.firstIndex(where: { $0.name == name }) {
      entries[index].inode = inode
      entries[index].kind = kind
      return true
    }
    // Sorted by slot: the first gap is free.
    var slot = 0
    while slot < entries.count, Int(entries[slot].slot) == slot { slot += 1 }
    guard let freeSlot = UInt8(exactly: slot) else { return false }
    entries.insert(Entry(slot: freeSlot, kind: kind, inode: inode, name: name), at: slot)
    return true
  }

  mutating func remove(_ name: [UInt8]) { entries.removeAll { $0.name == name } }

  var encoded: [UInt8] {
    var writer = ByteWriter(capacity: entries.reduce(1) { $0 + 11 + $1.name.count })
    writer.append(Self.version)
    for entry in entries {
      writer.append(entry.slot)
      writer.append(UInt8(entry.kind.rawValue >> 12))
      writer.append(entry.inode.rawValue)
      writer.append(UInt8(truncatingIfNeeded: entry.name.count))
      writer.append(entry.name)
    }
    return writer.bytes
  }

  /// Reads a stored bucket; bytes that are none are `StoreError.corrupt`.
  init(decoding bytes: [UInt8], directory: InodeNumber) throws(FileSystemFailure) {
    var reader = ByteReader(bytes)
    let version: UInt8 = reader.read()
    guard version == Self.version else {
      throw .corrupt(
        "entry of directory \(directory.rawValue)", expected: "version \(Self.version)",
        found: "\(version)")
    }
    repeat {
      let slot: UInt8 = reader.read()
      let kind = FileKind(rawValue: UInt32(reader.read(UInt8.self)) << 12)
      let inode = InodeNumber(reader.read())
      let name = reader.read(byteCount: Int(reader.read(UInt8.self)))
      guard reader.isValid, let kind, !name.isEmpty, entries.last.map({ $0.slot < slot }) ?? true
      else {
        throw .corrupt(
          "entry of directory \(directory.rawValue)", expected: "slot, kind, inode and name",
          found: "\(bytes.count) bytes that are none")
      }
      entries.append(Entry(slot: slot, kind: kind, inode: inode, name: name))
    } while !reader.isAtEnd
  }
}
