package import StorageModel

/// What a replica knows of its volume, so that a pool describes itself.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 2 | format version, 1 |
/// | 2 | 2 | flags, 0 |
/// | 4 | 4 | block size in bytes |
/// | 8 | 16 | volume |
/// | 24 | 8 | capacity in bytes |
/// | 32 | 8 | created, seconds since 1970 |
/// | 40 | 4 | number of replicas |
/// | 44 | rest | behind a 16-bit length each: name, type, content, encryption, class, strategy, write concern, wrapped data key |
package struct ReplicaDescription: Hashable, Sendable {
  package var specification: VolumeSpecification
  /// The volume's data key, encrypted by the pool's or an outside key; empty if not encrypted.
  package var wrappedKey: [UInt8]
  package var createdSeconds: Int64

  private static let formatVersion: UInt16 = 1

  package init(specification: VolumeSpecification, wrappedKey: [UInt8], createdSeconds: Int64) {
    self.specification = specification
    self.wrappedKey = wrappedKey
    self.createdSeconds = createdSeconds
  }

  package func encode(to writer: inout ByteWriter) {
    writer.append(Self.formatVersion)
    writer.append(UInt16(0))
    writer.append(UInt32(specification.blockSize.byteCount))
    writer.append(specification.id.uuid)
    writer.append(specification.capacityBytes)
    writer.append(createdSeconds)
    writer.append(UInt32(truncatingIfNeeded: specification.replicaCount))
    writer.append(text: specification.name)
    writer.append(text: specification.type.rawValue)
    writer.append(text: specification.content.rawValue)
    writer.append(text: specification.encryption.rawValue)
    writer.append(text: specification.storageClassName)
    writer.append(text: specification.strategy.rawValue)
    writer.append(text: specification.writeConcern.rawValue)
    writer.append(UInt16(truncatingIfNeeded: wrappedKey.count))
    writer.append(contentsOf: wrappedKey)
  }

  package func encoded() -> [UInt8] {
    var writer = ByteWriter(reservingByteCount: 256)
    encode(to: &writer)
    return writer.bytes
  }

  package static func decode(
    _ bytes: UnsafeRawBufferPointer
  ) throws(Corruption) -> ReplicaDescription {
    var reader = ByteReader(bytes, structure: "replica description")
    try reader.require("format version", try reader.readUInt16(), is: formatVersion)
    try reader.require("flags", try reader.readUInt16(), is: 0)
    let rawBlockSize = Int(try reader.readUInt32())
    guard let blockSize = BlockSize(byteCount: rawBlockSize) else {
      throw reader.corruption(
        expected: "a block size of 4096 to 65536, a power of two", found: "\(rawBlockSize)")
    }
    let id = VolumeID(try reader.readUUID())
    let capacityBytes = try reader.readUInt64()
    let createdSeconds = Int64(bitPattern: try reader.readUInt64())
    let replicaCount = Int(try reader.readUInt32())
    let specification = VolumeSpecification(
      id: id, name: try reader.readText(), capacityBytes: capacityBytes, blockSize: blockSize,
      type: try reader.readWord(), content: try reader.readWord(),
      encryption: try reader.readWord(), replicaCount: replicaCount,
      storageClassName: try reader.readText(), strategy: try reader.readWord(),
      writeConcern: try reader.readWord())
    let wrappedKey = Array(try reader.readBytes(Int(try reader.readUInt16())))
    try reader.requireEnd()
    return ReplicaDescription(
      specification: specification, wrappedKey: wrappedKey, createdSeconds: createdSeconds)
  }
}

extension ByteReader {
  /// A text that is one of an enumeration's words.
  fileprivate mutating func readWord<Word>() throws(Corruption) -> Word
  where Word: RawRepresentable<String> & CaseIterable {
    let text = try readText()
    guard let word = Word(rawValue: text) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw corruption(expected: "one of \(words)", found: text)
    }
    return word
  }
}
