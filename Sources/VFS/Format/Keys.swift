import StorageModel

/// The file system's keys inside its volume: a tag, then numbers in big-endian order.
///
/// | tag | then | value |
/// |---|---|---|
/// | `S` | | `Counters` |
/// | `I` | inode (8) | `Inode` |
/// | `D` | directory (8), name hash (7) | `EntryBucket` |
/// | `X` | inode (8), name hash (7) | `XattrBucket` |
/// | `O` | inode (8) | `Leftover` |
/// | `R` | session (8), slot (1) | `StoredReply` |
enum Keys {
  /// A range of keys, `lower ..< upper`.
  struct Range {
    let lower: StoreKey
    let upper: StoreKey
  }

  static let counters = StoreKey([UInt8(ascii: "S")])
  static let leftovers = Range(
    lower: StoreKey([UInt8(ascii: "O")]), upper: StoreKey([UInt8(ascii: "O") + 1]))

  static func inode(_ number: InodeNumber) -> StoreKey {
    key(UInt8(ascii: "I"), number.rawValue)
  }

  static func entry(in directory: InodeNumber, hash: NameHash) -> StoreKey {
    key(UInt8(ascii: "D"), directory.rawValue, hash)
  }

  static func entries(of directory: InodeNumber) -> Range {
    range(UInt8(ascii: "D"), directory.rawValue)
  }

  static func xattr(of inode: InodeNumber, hash: NameHash) -> StoreKey {
    key(UInt8(ascii: "X"), inode.rawValue, hash)
  }

  static func xattrs(of inode: InodeNumber) -> Range {
    range(UInt8(ascii: "X"), inode.rawValue)
  }

  static func leftover(_ inode: InodeNumber) -> StoreKey {
    key(UInt8(ascii: "O"), inode.rawValue)
  }

  static func reply(_ identity: RequestIdentity) -> StoreKey {
    var key = key(UInt8(ascii: "R"), identity.session)
    key.bytes.append(UInt8(truncatingIfNeeded: identity.sequence))
    return key
  }

  static func replies(of session: UInt64) -> Range { range(UInt8(ascii: "R"), session) }

  /// The inode's number in a key of tag and number; nil if the key has another shape.
  static func inodeNumber(in key: StoreKey) -> InodeNumber? {
    guard key.bytes.count == 9 else { return nil }
    return InodeNumber(key.bytes[1...].reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// The hash in a key of tag, number and hash; nil if the key has another shape.
  static func hash(in key: StoreKey) -> NameHash? {
    guard key.bytes.count == 16 else { return nil }
    return NameHash(stored: key.bytes[9...].reduce(0) { $0 << 8 | UInt64($1) })
  }

  private static func range(_ tag: UInt8, _ number: UInt64) -> Range {
    // The last number has no successor; its range ends with the tag's.
    let upper = number == .max ? StoreKey([tag + 1]) : key(tag, number + 1)
    return Range(lower: key(tag, number), upper: upper)
  }

  private static func key(_ tag: UInt8, _ number: UInt64) -> StoreKey {
    StoreKey(
      [UInt8](unsafeUninitializedCapacity: 10) { buffer, count in
        buffer[0] = tag
        store(number, byteCount: 8, into: buffer, at: 1)
        count = 9
      })
  }

  private static func key(_ tag: UInt8, _ number: UInt64, _ hash: NameHash) -> StoreKey {
    StoreKey(
      [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
        buffer[0] = tag
        store(number, byteCount: 8, into: buffer, at: 1)
        store(hash.rawValue, byteCount: 7, into: buffer, at: 9)
        count = 16
      })
  }

  private static func store(
    _ number: UInt64, byteCount: Int, into buffer: UnsafeMutableBufferPointer<UInt8>, at start: Int
  ) {
    for index in 0..<byteCount {
      buffer[start + index] = UInt8(
        truncatingIfNeeded: number >> UInt64(8 * (byteCount - 1 - index)))
    }
  }
}

/// The part of a name's keyed hash that orders a directory: 1 ..< 2^55.
///
/// 55 bits, so that a position, `hash << 8 | slot`, is a positive `off_t`; never 0, so that the
/// positions below 256 stay free for `.` and `..`.
struct NameHash: Hashable, Sendable {
  let rawValue: UInt64

  static let bitCount: UInt64 = 55

  init(of hash: UInt64) { rawValue = max(1, hash >> (64 - Self.bitCount)) }

  init?(stored: UInt64) {
    guard stored > 0, stored >> Self.bitCount == 0 else { return nil }
    rawValue = stored
  }

  func position(slot: UInt8) -> UInt64 { rawValue << 8 | UInt64(slot) }
}
