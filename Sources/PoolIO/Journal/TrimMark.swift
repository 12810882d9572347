internal import DiskFormat
internal import Glibc
internal import StorageModel

/// Where a journal's first needed record starts, durable in a small file beside the segments.
///
/// Two slots of 4096 bytes are written in turn, so that a torn write leaves the older one:
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `GFJT` |
/// | 4 | 2 | format version, 1 |
/// | 6 | 2 | flags, 0 |
/// | 8 | 16 | pool |
/// | 24 | 8 | turn: the slot with the higher one counts |
/// | 32 | 8 | trim position |
/// | 40 | 8 | checksum of bytes 0 ..< 40 |
struct TrimMark {
  private static let magic: UInt32 = 0x544A_4647  // "GFJT"
  private static let formatVersion: UInt16 = 1
  private static let slotByteCount = 4096
  private static let byteCount = 48
  private static let checkedByteCount = 40

  private let file: OpenFile
  private let pool: PoolID
  private let checksum: JournalChecksum
  private var turn: UInt64
  private(set) var position: JournalPosition

  /// Makes the file; there must be none.
  static func create(
    path: String, pool: PoolID, position: JournalPosition, checksum: @escaping JournalChecksum
  ) throws(StoreError) -> TrimMark {
    // Complete before it appears, so that a crash leaves either no mark or a whole one.
    let temporaryPath = path + ".new"
    let file = try OpenFile(path: temporaryPath, flags: O_RDWR | O_CREAT | O_TRUNC)
    try JournalSegmentFile.fillWithZeros(file, 0..<2 * slotByteCount)
    var mark = TrimMark(file: file, pool: pool, checksum: checksum, turn: 0, position: position)
    try mark.move(to: position)
    guard rename(temporaryPath, path) == 0 else { throw systemError("create \(path)") }
    try syncDirectory(parent(of: path))
    return mark
  }

  /// Opens the file; nil if there is none.
  static func open(
    path: String, pool: PoolID, checksum: @escaping JournalChecksum
  ) throws(StoreError) -> TrimMark? {
    guard access(path, F_OK) == 0 || errno != ENOENT else { return nil }
    let file = try OpenFile(path: path, flags: O_RDWR)
    var newest: TrimMark?
    var problem: Corruption?
    for slot in 0..<2 {
      var bytes = [UInt8](repeating: 0, count: byteCount)
      let count = try bytes.withMutableBytes { (target) throws(StoreError) in
        try file.read(into: target, at: slot * slotByteCount)
      }
      do throws(Corruption) {
        let mark = try decode(Array(bytes[..<count]), file, pool, checksum)
        if mark.turn >= newest?.turn ?? 0 { newest = mark }
      } catch {
        problem = problem ?? error
      }
    }
    guard let newest else {
      throw .corrupt(
        problem ?? Corruption(place: path, expected: "a trim position", found: "none"))
    }
    return newest
  }

  /// On return the new position is durable.
  mutating func move(to position: JournalPosition) throws(StoreError) {
    let bytes = encoded(turn: turn + 1, position: position)
    let offset = Int((turn + 1) % 2) * Self.slotByteCount
    try bytes.withBytes { (bytes) throws(StoreError) in try file.write(bytes, at: offset) }
    try file.syncData()
    turn += 1
    self.position = position
  }

  private func encoded(turn: UInt64, position: JournalPosition) -> [UInt8] {
    var writer = ByteWriter(reservingByteCount: Self.byteCount)
    writer.append(Self.magic)
    writer.append(Self.formatVersion)
    writer.append(UInt16(0))
    writer.append(pool.uuid)
    writer.append(turn)
    writer.append(position.rawValue)
    writer.append(writer.bytes.withUnsafeBytes { checksum($0) })
    return writer.bytes
  }

  private static func decode(
    _ bytes: [UInt8], _ file: OpenFile, _ pool: PoolID, _ checksum: @escaping JournalChecksum
  ) throws(Corruption) -> TrimMark {
    try bytes.withBytes { (bytes) throws(Corruption) in
      var reader = ByteReader(bytes, structure: "journal trim mark")
      try reader.require("magic", try reader.readUInt32(), is: magic)
      try reader.require("format version", try reader.readUInt16(), is: formatVersion)
      try reader.require("flags", try reader.readUInt16(), is: 0)
      try reader.require("pool", PoolID(try reader.readUUID()), is: pool)
      let turn = try reader.readUInt64()
      let position = JournalPosition(try reader.readUInt64())
      let expected = checksum(UnsafeRawBufferPointer(rebasing: bytes[..<checkedByteCount]))
      try reader.require("checksum", try reader.readUInt64(), is: expected)
      return TrimMark(file: file, pool: pool, checksum: checksum, turn: turn, position: position)
    }
  }
}
