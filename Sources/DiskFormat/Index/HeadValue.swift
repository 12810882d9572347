package import StorageModel

/// The value of a key of the VFS in the index.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 1 | format version, 1 |
/// | 1 | 1 | tag byte count, t |
/// | 2 | 2 | reserved, 0 |
/// | 4 | 4 | incarnation |
/// | 8 | 8 | generation that it was born in |
/// | 16 | 8 | epoch |
/// | 24 | 8 | LSN: of the record that wrote it |
/// | 32 | 4 | seal position inside the record |
/// | 36 | t | tag |
/// | 36 + t | rest | sealed bytes |
package struct HeadValue {
  package static let headerByteCount = 36

  package let bornGeneration: Generation
  package let seal: SealStamp
  package let tag: UnsafeRawBufferPointer
  package let sealedBytes: UnsafeRawBufferPointer

  private static let formatVersion: UInt8 = 1

  package init(
    bornGeneration: Generation, seal: SealStamp, tag: UnsafeRawBufferPointer,
    sealedBytes: UnsafeRawBufferPointer
  ) {
    self.bornGeneration = bornGeneration
    self.seal = seal
    self.tag = tag
    self.sealedBytes = sealedBytes
  }

  package func encoded() -> [UInt8] {
    var writer = ByteWriter(
      reservingByteCount: Self.headerByteCount + tag.count + sealedBytes.count)
    writer.append(Self.formatVersion)
    writer.append(UInt8(truncatingIfNeeded: tag.count))
    writer.append(UInt16(0))
    writer.append(seal.incarnation.rawValue)
    writer.append(bornGeneration.rawValue)
    writer.append(seal.epoch.rawValue)
    writer.append(seal.lsn.rawValue)
    writer.append(seal.position)
    writer.append(contentsOf: tag)
    writer.append(contentsOf: sealedBytes)
    return writer.bytes
  }

  /// Reads a value; tag and sealed bytes stay the memory of `bytes`.
  package static func decode(
    _ bytes: UnsafeRawBufferPointer, tagByteCount: Int
  ) throws(Corruption) -> HeadValue {
    var reader = ByteReader(bytes, structure: "head value")
    try reader.require("format version", try reader.readUInt8(), is: formatVersion)
    try reader.require("tag byte count", Int(try reader.readUInt8()), is: tagByteCount)
    try reader.require("reserved field", try reader.readUInt16(), is: 0)
    let incarnation = Incarnation(try reader.readUInt32())
    let bornGeneration = Generation(try reader.readUInt64())
    let epoch = Epoch(try reader.readUInt64())
    let lsn = LSN(try reader.readUInt64())
    let position = try reader.readUInt32()
    let tag = try reader.readBytes(tagByteCount)
    return HeadValue(
      bornGeneration: bornGeneration,
      seal: SealStamp(epoch: epoch, incarnation: incarnation, lsn: lsn, position: position),
      tag: tag, sealedBytes: try reader.readBytes(reader.remaining))
  }
}
