package import StorageModel

/// Computes the checksum of journal bytes: XXH3-64 in the product.
package typealias JournalChecksum = (UnsafeRawBufferPointer) -> UInt64

/// The header that stands before each record of a journal.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `GFJR` |
/// | 4 | 2 | format version, 1 |
/// | 6 | 2 | flags, 0 |
/// | 8 | 4 | payload byte count, without padding |
/// | 12 | 4 | incarnation |
/// | 16 | 8 | position of this header in the endless journal |
/// | 24 | 16 | volume |
/// | 40 | 8 | epoch |
/// | 48 | 8 | LSN |
/// | 56 | 8 | barrier: position known synced when this record was appended |
/// | 64 | 8 | reserved, 0 |
/// | 72 | 8 | checksum of the payload |
/// | 80 | 8 | checksum of bytes 0 ..< 80 |
///
/// The payload follows at once, then zeros up to a multiple of eight. The position makes bytes
/// that an earlier round left in a recycled segment never verify.
package struct JournalFrame: Hashable, Sendable {
  package static let headerByteCount = 88
  /// Frames start and end on multiples of this.
  package static let alignmentByteCount = 8
  /// Bound of a payload: inline data of one transaction, its tags, keys and values, with room.
  package static let maximumPayloadByteCount = 8 << 20

  package var volume: VolumeID
  package var epoch: Epoch
  package var incarnation: Incarnation
  package var lsn: LSN
  /// Of the header's first byte.
  package var position: JournalPosition
  package var barrier: JournalPosition
  package var payloadByteCount: Int
  package var payloadChecksum: UInt64

  package init(
    volume: VolumeID, epoch: Epoch, incarnation: Incarnation, lsn: LSN,
    position: JournalPosition, barrier: JournalPosition, payloadByteCount: Int,
    payloadChecksum: UInt64
  ) {
    self.volume = volume
    self.epoch = epoch
    self.incarnation = incarnation
    self.lsn = lsn
    self.position = position
    self.barrier = barrier
    self.payloadByteCount = payloadByteCount
    self.payloadChecksum = payloadChecksum
  }

  /// Bytes that a record takes with header and padding.
  package static func byteCount(forPayload count: Int) -> Int {
    (headerByteCount + count + alignmentByteCount - 1) & ~(alignmentByteCount - 1)
  }

  /// Bytes of this record with header and padding.
  package var byteCount: Int { Self.byteCount(forPayload: payloadByteCount) }

  /// Where the payload starts.
  package var payload: JournalPosition { position.advanced(byByteCount: Self.headerByteCount) }

  /// Where the next record starts.
  package var end: JournalPosition { position.advanced(byByteCount: byteCount) }
}

extension JournalFrame {
  private static let magic: UInt32 = 0x524A_4647  // "GFJR"
  private static let formatVersion: UInt16 = 1
  private static let checkedByteCount = 80

  /// Writes the header to the first 88 bytes of `target`, without allocating.
  package func encode(
    into target: UnsafeMutableRawBufferPointer, checksum: JournalChecksum
  ) {
    precondition(target.count >= Self.headerByteCount, "a journal header needs 88 bytes")
    func store<Number: FixedWidthInteger>(_ value: Number, _ offset: Int) {
      target.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Number.self)
    }
    store(Self.magic, 0)
    store(Self.formatVersion, 4)
    store(UInt16(0), 6)
    store(UInt32(payloadByteCount), 8)
    store(incarnation.rawValue, 12)
    store(position.rawValue, 16)
    store(volume.uuid.high.byteSwapped, 24)
    store(volume.uuid.low.byteSwapped, 32)
    store(epoch.rawValue, 40)
    store(lsn.rawValue, 48)
    store(barrier.rawValue, 56)
    store(UInt64(0), 64)
    store(payloadChecksum, 72)
    store(
      checksum(UnsafeRawBufferPointer(rebasing: target[..<Self.checkedByteCount])),
      Self.checkedByteCount)
  }

  /// Reads and checks a header that must stand at `position`; the payload is not looked at.
  package static func decode(
    _ bytes: UnsafeRawBufferPointer, at position: JournalPosition, checksum: JournalChecksum
  ) throws(Corruption) -> JournalFrame {
    var reader = ByteReader(bytes, structure: "journal record header")
    try reader.require("magic", try reader.readUInt32(), is: magic)
    try reader.require("format version", try reader.readUInt16(), is: formatVersion)
    try reader.require("flags", try reader.readUInt16(), is: 0)
    let payloadByteCount = Int(try reader.readUInt32())
    let incarnation = Incarnation(try reader.readUInt32())
    let foundPosition = JournalPosition(try reader.readUInt64())
    try reader.require("position", foundPosition, is: position)
    let volume = VolumeID(try reader.readUUID())
    let epoch = Epoch(try reader.readUInt64())
    let lsn = LSN(try reader.readUInt64())
    let barrier = JournalPosition(try reader.readUInt64())
    try reader.require("reserved field", try reader.readUInt64(), is: 0)
    let payloadChecksum = try reader.readUInt64()
    let expected = checksum(UnsafeRawBufferPointer(rebasing: bytes[..<checkedByteCount]))
    try reader.require("checksum", try reader.readUInt64(), is: expected)
    guard payloadByteCount <= maximumPayloadByteCount else {
      throw reader.corruption(
        expected: "at most \(maximumPayloadByteCount) payload bytes", found: "\(payloadByteCount)")
    }
    return JournalFrame(
      volume: volume, epoch: epoch, incarnation: incarnation, lsn: lsn, position: position,
      barrier: barrier, payloadByteCount: payloadByteCount, payloadChecksum: payloadChecksum)
  }

  /// Throws unless these are the bytes that the header was written for.
  package func verify(
    payload bytes: UnsafeRawBufferPointer, checksum: JournalChecksum
  ) throws(Corruption) {
    let reader = ByteReader(bytes, structure: "journal record payload")
    try reader.require("byte count", bytes.count, is: payloadByteCount)
    try reader.require("checksum", checksum(bytes), is: payloadChecksum)
  }
}
