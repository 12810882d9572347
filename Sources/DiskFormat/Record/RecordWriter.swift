package import StorageModel

/// Makes the payload of one record after the other in memory that it keeps.
///
/// Sealed bytes are not passed in: the writer makes room, and the caller seals into it.
package struct RecordWriter: Sendable {
  private var writer = ByteWriter()
  private var entryCount: UInt32 = 0
  private let tagByteCount: Int
  private let blockSize: BlockSize

  package init(tagByteCount: Int, blockSize: BlockSize) {
    self.tagByteCount = tagByteCount
    self.blockSize = blockSize
    start()
  }

  package var byteCount: Int { writer.count }

  /// Begins a new record.
  package mutating func start() {
    writer.reset()
    entryCount = 0
    writer.append(RecordPayload.formatVersion)
    writer.append(UInt16(0))
    writer.append(entryCount)
    writer.append(UInt8(truncatingIfNeeded: tagByteCount))
    writer.append(UInt8(truncatingIfNeeded: blockSize.shift))
    writer.append(UInt16(0))
    writer.append(UInt32(0))
  }

  /// Gives back memory beyond `limit` bytes after an unusually large record.
  package mutating func shrink(toByteCount limit: Int) {
    guard writer.bytes.capacity > limit else { return }
    writer = ByteWriter()
    start()
  }

  /// Lends the payload, whole as it is now.
  package mutating func withPayload<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    writer.overwrite(entryCount, at: 4)
    return try writer.withMutableBytes(body)
  }

  private mutating func begin(
    _ kind: RecordPayload.Kind, keyByteCount: Int = 0, count: Int = 0
  ) {
    entryCount += 1
    writer.append(kind.rawValue)
    writer.append(UInt8(0))
    writer.append(UInt16(truncatingIfNeeded: keyByteCount))
    writer.append(UInt32(truncatingIfNeeded: count))
  }

  /// Returns where the tag belongs; `valueByteCount` bytes for the sealed value follow it.
  package mutating func put(
    _ key: StoreKey, valueByteCount: Int, sealPosition: UInt32
  ) -> Int {
    begin(.put, keyByteCount: key.bytes.count, count: valueByteCount)
    writer.append(sealPosition)
    writer.append(contentsOf: key.bytes)
    return writer.appendZeros(tagByteCount + valueByteCount)
  }

  package mutating func delete(_ key: StoreKey) {
    begin(.delete, keyByteCount: key.bytes.count)
    writer.append(contentsOf: key.bytes)
  }

  /// Returns where the tags belong; the blocks' sealed bytes follow them.
  package mutating func blocks(
    _ object: ObjectNumber, _ firstBlock: BlockNumber, blockCount: Int, sealPosition: UInt32
  ) -> Int {
    begin(.blocks, count: blockCount)
    writer.append(object.rawValue)
    writer.append(firstBlock.rawValue)
    writer.append(sealPosition)
    return writer.appendZeros(blockCount * (tagByteCount + blockSize.byteCount))
  }

  package mutating func map(
    _ object: ObjectNumber, _ firstBlock: BlockNumber, _ extent: PreparedExtent
  ) {
    begin(.map, count: extent.blockCount)
    writer.append(object.rawValue)
    writer.append(firstBlock.rawValue)
    writer.append(extent.location.offsetBytes)
    writer.append(extent.location.segment)
    writer.append(extent.incarnation.rawValue)
    writer.append(extent.epoch.rawValue)
    writer.append(extent.sealLSN.rawValue)
    writer.append(contentsOf: extent.tags)
  }

  package mutating func free(_ range: BlockRange) { append(range, .free) }

  package mutating func allocate(_ range: BlockRange) { append(range, .allocate) }

  private mutating func append(_ range: BlockRange, _ kind: RecordPayload.Kind) {
    begin(kind)
    writer.append(range.object.rawValue)
    writer.append(range.firstBlock.rawValue)
    writer.append(range.blockCount)
  }

  package mutating func created(_ description: ReplicaDescription) {
    let bytes = description.encoded()
    begin(.created, count: bytes.count)
    writer.append(contentsOf: bytes)
  }

  package mutating func capacityChanged(toBytes capacityBytes: UInt64) {
    begin(.capacityChanged)
    writer.append(capacityBytes)
  }

  package mutating func opened() { begin(.opened) }

  package mutating func generationEnded(_ generation: Generation) {
    begin(.generationEnded)
    writer.append(generation.rawValue)
  }

  package mutating func dropped() { begin(.dropped) }
}
