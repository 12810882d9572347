package import StorageModel

/// The first bytes of a journal segment file; rewritten each time the file is recycled.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `GFJS` |
/// | 4 | 2 | format version, 1 |
/// | 6 | 2 | flags, 0 |
/// | 8 | 16 | pool |
/// | 24 | 8 | sequence number of the segment |
/// | 32 | 8 | position in the endless journal of the first byte behind the header's block |
/// | 40 | 8 | byte count of the file, header's block included |
/// | 48 | 8 | checksum of bytes 0 ..< 48 |
///
/// The header has a block of 4096 bytes to itself, so that records never share it.
package struct JournalSegmentHeader: Hashable, Sendable {
  /// Bytes at a segment's start that hold no records.
  package static let blockByteCount = 4096
  package static let byteCount = 56

  package var pool: PoolID
  package var sequence: UInt64
  package var start: JournalPosition
  package var fileByteCount: UInt64

  private static let magic: UInt32 = 0x534A_4647  // "GFJS"
  private static let formatVersion: UInt16 = 1
  private static let checkedByteCount = 48

  package init(pool: PoolID, sequence: UInt64, start: JournalPosition, fileByteCount: UInt64) {
    self.pool = pool
    self.sequence = sequence
    self.start = start
    self.fileByteCount = fileByteCount
  }

  /// The header's 56 bytes.
  package func encoded(checksum: JournalChecksum) -> [UInt8] {
    var writer = ByteWriter(reservingByteCount: Self.byteCount)
    writer.append(Self.magic)
    writer.append(Self.formatVersion)
    writer.append(UInt16(0))
    writer.append(pool.uuid)
    writer.append(sequence)
    writer.append(start.rawValue)
    writer.append(fileByteCount)
    writer.append(writer.bytes.withUnsafeBytes { checksum($0) })
    return writer.bytes
  }

  /// Reads and checks a header; bytes behind it are not looked at.
  package static func decode(
    _ bytes: UnsafeRawBufferPointer, checksum: JournalChecksum
  ) throws(Corruption) -> JournalSegmentHeader {
    var reader = ByteReader(bytes, structure: "journal segment header")
    try reader.require("magic", try reader.readUInt32(), is: magic)
    try reader.require("format version", try reader.readUInt16(), is: formatVersion)
    try reader.require("flags", try reader.readUInt16(), is: 0)
    let pool = PoolID(try reader.readUUID())
    let sequence = try reader.readUInt64()
    let start = JournalPosition(try reader.readUInt64())
    let fileByteCount = try reader.readUInt64()
    let expected = checksum(UnsafeRawBufferPointer(rebasing: bytes[..<checkedByteCount]))
    try reader.require("checksum", try reader.readUInt64(), is: expected)
    return JournalSegmentHeader(
      pool: pool, sequence: sequence, start: start, fileByteCount: fileByteCount)
  }
}
