package import StorageModel

/// Keys of one volume in the pool's index.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 16 | volume |
/// | 16 | 1 | space |
/// | 17 | rest | see `Space` |
///
/// Numbers are big-endian, so that keys sort as the numbers do.
package struct IndexKey: Sendable {
  /// The families of keys inside a volume, in the order of the index.
  package enum Space: UInt8, Sendable, CaseIterable {
    /// Nothing: `VolumeState`.
    case state = 0x10
    /// The VFS's key: `HeadValue`.
    case headKey = 0x20
    /// Object (8), chunk (8): `Chunk`.
    case headChunk = 0x30
    /// The VFS's key with 0x00 written as 00 FF, then 00 00, last valid generation (8).
    case historyKey = 0x40
    /// Object (8), chunk (8), last valid generation (8): `Chunk`.
    case historyChunk = 0x50
    /// Segment (4), offset (8): byte count (8) of a range that awaits its hole.
    case pendingFree = 0x60
  }

  /// Where `Space`'s rest starts.
  package static let headerByteCount = 17

  private let volumeBytes: [UInt8]

  package init(_ volume: VolumeID) { volumeBytes = volume.uuid.bytes }

  private func start(_ space: Space, reserving count: Int) -> ByteWriter {
    var writer = ByteWriter(reservingByteCount: Self.headerByteCount + count)
    writer.append(contentsOf: volumeBytes)
    writer.append(space.rawValue)
    return writer
  }

  /// The first key of a space.
  package func lowerBound(_ space: Space) -> [UInt8] { start(space, reserving: 0).bytes }

  /// Behind the last key of a space.
  package func upperBound(_ space: Space) -> [UInt8] {
    volumeBytes + [space.rawValue + 1]
  }

  /// Bounds of all keys of the volume.
  package var lowerBound: [UInt8] { volumeBytes + [0] }
  package var upperBound: [UInt8] { volumeBytes + [0xFF] }

  package var state: [UInt8] { lowerBound(.state) }

  package func head(_ key: StoreKey) -> [UInt8] {
    var writer = start(.headKey, reserving: key.bytes.count)
    writer.append(contentsOf: key.bytes)
    return writer.bytes
  }

  package func headChunk(_ object: ObjectNumber, _ chunk: ChunkNumber) -> [UInt8] {
    var writer = start(.headChunk, reserving: 16)
    writer.appendBigEndian(object.rawValue)
    writer.appendBigEndian(chunk.rawValue)
    return writer.bytes
  }

  package func history(_ key: StoreKey, through generation: Generation) -> [UInt8] {
    var writer = start(.historyKey, reserving: key.bytes.count + 16)
    for byte in key.bytes {
      writer.append(byte)
      if byte == 0 { writer.append(UInt8(0xFF)) }
    }
    writer.append(UInt16(0))
    writer.appendBigEndian(generation.rawValue)
    return writer.bytes
  }

  package func historyChunk(
    _ object: ObjectNumber, _ chunk: ChunkNumber, through generation: Generation
  ) -> [UInt8] {
    var writer = start(.historyChunk, reserving: 24)
    writer.appendBigEndian(object.rawValue)
    writer.appendBigEndian(chunk.rawValue)
    writer.appendBigEndian(generation.rawValue)
    return writer.bytes
  }

  package func pendingFree(_ location: SegmentLocation) -> [UInt8] {
    var writer = start(.pendingFree, reserving: 12)
    writer.appendBigEndian(location.segment)
    writer.appendBigEndian(location.offsetBytes)
    return writer.bytes
  }
}

extension IndexKey {
  /// The VFS's key inside a head key.
  package static func storeKey(_ bytes: UnsafeRawBufferPointer) throws(Corruption) -> StoreKey {
    var reader = try reader(bytes, .headKey)
    return StoreKey(Array(try reader.readBytes(reader.remaining)))
  }

  /// Object and chunk of a head chunk's key.
  package static func chunk(
    _ bytes: UnsafeRawBufferPointer
  ) throws(Corruption) -> (object: ObjectNumber, chunk: ChunkNumber) {
    var reader = try reader(bytes, .headChunk)
    let object = ObjectNumber(try reader.readBigEndianUInt64())
    let chunk = ChunkNumber(try reader.readBigEndianUInt64())
    try reader.requireEnd()
    return (object, chunk)
  }

  /// The location in a pending free's key.
  package static func pendingFree(
    _ bytes: UnsafeRawBufferPointer
  ) throws(Corruption) -> SegmentLocation {
    var reader = try reader(bytes, .pendingFree)
    let segment = try reader.readBigEndianUInt32()
    let offsetBytes = try reader.readBigEndianUInt64()
    try reader.requireEnd()
    return SegmentLocation(segment: segment, offsetBytes: offsetBytes)
  }

  private static func reader(
    _ bytes: UnsafeRawBufferPointer, _ space: Space
  ) throws(Corruption) -> ByteReader {
    var reader = ByteReader(bytes, structure: "index key")
    _ = try reader.readBytes(UUIDValue.byteCount)
    try reader.require("space", try reader.readUInt8(), is: space.rawValue)
    return reader
  }
}

/// Keys of the pool itself, under the nil UUID: which volumes have a replica here.
///
/// 16 zero bytes, 0x01, volume (16): `ReplicaDescription`.
package enum CatalogueKey {
  private static let prefix = [UInt8](repeating: 0, count: UUIDValue.byteCount)

  package static let lowerBound = prefix + [0x01]
  package static let upperBound = prefix + [0x02]

  package static func key(_ volume: VolumeID) -> [UInt8] { lowerBound + volume.uuid.bytes }
}

/// A range of a segment that nothing refers to any more; the value of a pending free is its byte
/// count, 8 bytes.
package struct FreedRange: Hashable, Sendable {
  package var location: SegmentLocation
  package var byteCount: UInt64

  package init(location: SegmentLocation, byteCount: UInt64) {
    self.location = location
    self.byteCount = byteCount
  }

  package var encodedByteCount: [UInt8] {
    var writer = ByteWriter(reservingByteCount: 8)
    writer.append(byteCount)
    return writer.bytes
  }

  package static func decode(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) throws(Corruption) -> FreedRange {
    var reader = ByteReader(value, structure: "pending free")
    let byteCount = try reader.readUInt64()
    try reader.requireEnd()
    return FreedRange(location: try IndexKey.pendingFree(key), byteCount: byteCount)
  }
}
