package import StorageModel

/// Reads the entries of one record's payload in order.
package struct RecordReader {
  package let tagByteCount: Int
  package let blockSize: BlockSize
  private var reader: ByteReader
  private var entriesLeft: UInt32

  /// Checks the payload's header.
  package init(_ payload: UnsafeRawBufferPointer) throws(Corruption) {
    reader = ByteReader(payload, structure: "record payload")
    try reader.require(
      "format version", try reader.readUInt16(), is: RecordPayload.formatVersion)
    try reader.require("flags", try reader.readUInt16(), is: 0)
    entriesLeft = try reader.readUInt32()
    tagByteCount = Int(try reader.readUInt8())
    let shift = Int(try reader.readUInt8())
    guard shift < 31, let blockSize = BlockSize(byteCount: 1 << shift) else {
      throw reader.corruption(expected: "a block size of 2^12 to 2^16", found: "2^\(shift)")
    }
    self.blockSize = blockSize
    try reader.require("reserved field", try reader.readUInt16(), is: 0)
    try reader.require("reserved field", try reader.readUInt32(), is: 0)
  }

  /// The next entry; nil behind the last one, where the payload must end.
  package mutating func next() throws(Corruption) -> RecordEntry? {
    guard entriesLeft > 0 else {
      try reader.requireEnd()
      return nil
    }
    entriesLeft -= 1
    let rawKind = try reader.readUInt8()
    guard let kind = RecordPayload.Kind(rawValue: rawKind) else {
      throw reader.corruption(expected: "a known kind of entry", found: "\(rawKind)")
    }
    try reader.require("entry flags", try reader.readUInt8(), is: 0)
    let keyByteCount = Int(try reader.readUInt16())
    let count = Int(try reader.readUInt32())
    switch kind {
    case .put: return try put(keyByteCount, count)
    case .delete: return .delete(key: StoreKey(Array(try reader.readBytes(keyByteCount))))
    case .blocks: return .blocks(try inlineBlocks(count))
    case .map: return try map(count)
    case .free: return .free(try range())
    case .allocate: return .allocate(try range())
    case .created: return .created(try ReplicaDescription.decode(try reader.readBytes(count)))
    case .capacityChanged: return .capacityChanged(capacityBytes: try reader.readUInt64())
    case .opened: return .opened
    case .generationEnded: return .generationEnded(Generation(try reader.readUInt64()))
    case .dropped: return .dropped
    }
  }

  private mutating func put(
    _ keyByteCount: Int, _ valueByteCount: Int
  ) throws(Corruption) -> RecordEntry {
    let sealPosition = try reader.readUInt32()
    let key = StoreKey(Array(try reader.readBytes(keyByteCount)))
    let tag = try reader.readBytes(tagByteCount)
    return .put(
      key: key, sealPosition: sealPosition, tag: tag,
      sealedBytes: try reader.readBytes(valueByteCount))
  }

  private mutating func inlineBlocks(_ blockCount: Int) throws(Corruption) -> InlineBlocks {
    let object = ObjectNumber(try reader.readUInt64())
    let firstBlock = try block(before: UInt64(blockCount))
    let sealPosition = try reader.readUInt32()
    let tags = try reader.readBytes(blockCount * tagByteCount)
    let dataOffset = reader.offset
    _ = try reader.readBytes(blockCount * blockSize.byteCount)
    return InlineBlocks(
      object: object, firstBlock: firstBlock, blockCount: blockCount,
      sealPosition: sealPosition, tags: tags, dataOffset: dataOffset)
  }

  private mutating func map(_ blockCount: Int) throws(Corruption) -> RecordEntry {
    let object = ObjectNumber(try reader.readUInt64())
    let firstBlock = try block(before: UInt64(blockCount))
    let offsetBytes = try reader.readUInt64()
    let segment = try reader.readUInt32()
    let incarnation = Incarnation(try reader.readUInt32())
    let epoch = Epoch(try reader.readUInt64())
    let sealLSN = LSN(try reader.readUInt64())
    let tags = Array(try reader.readBytes(blockCount * tagByteCount))
    return .map(
      object: object, firstBlock: firstBlock,
      extent: PreparedExtent(
        location: SegmentLocation(segment: segment, offsetBytes: offsetBytes),
        blockCount: blockCount, sealLSN: sealLSN, incarnation: incarnation, epoch: epoch,
        tags: tags))
  }

  private mutating func range() throws(Corruption) -> BlockRange {
    let object = ObjectNumber(try reader.readUInt64())
    let firstBlock = BlockNumber(try reader.readUInt64())
    let blockCount = try reader.readUInt64()
    try requireInside(firstBlock, blockCount)
    return BlockRange(object: object, firstBlock: firstBlock, blockCount: blockCount)
  }

  private mutating func block(before blockCount: UInt64) throws(Corruption) -> BlockNumber {
    let first = BlockNumber(try reader.readUInt64())
    try requireInside(first, blockCount)
    return first
  }

  private func requireInside(
    _ first: BlockNumber, _ blockCount: UInt64
  ) throws(Corruption) {
    let (end, overflows) = first.rawValue.addingReportingOverflow(blockCount)
    guard !overflows, end <= RecordPayload.maximumBlockCount else {
      throw reader.corruption(
        expected: "blocks below \(RecordPayload.maximumBlockCount)",
        found: "\(blockCount) from \(first)")
    }
  }
}

extension RecordPayload {
  /// Blocks that an object can have: 2^51 of 4 KiB are 2^63 bytes.
  package static let maximumBlockCount: UInt64 = 1 << 51

  /// Whether this record deletes its volume: what stands before it must not be replayed.
  package static func isDrop(_ payload: UnsafeRawBufferPointer) throws(Corruption) -> Bool {
    var reader = try RecordReader(payload)
    guard case .dropped? = try reader.next() else { return false }
    return true
  }

  /// The replica that this record, the first of a volume, creates; nil if it is another record.
  package static func created(
    _ payload: UnsafeRawBufferPointer
  ) throws(Corruption) -> ReplicaDescription? {
    var reader = try RecordReader(payload)
    guard case .created(let description)? = try reader.next() else { return nil }
    return description
  }
}
