package import StorageModel

/// The payload of a journal record: one transaction, encoded and sealed.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 2 | format version, 1 |
/// | 2 | 2 | flags, 0 |
/// | 4 | 4 | number of entries |
/// | 8 | 1 | tag byte count, t |
/// | 9 | 1 | block size's shift |
/// | 10 | 6 | reserved, 0 |
/// | 16 | rest | entries, one behind the other |
///
/// Every entry starts with kind (1), flags (1), key byte count or 0 (2), then (4) and the rest:
///
/// | kind | (4) | rest |
/// |---|---|---|
/// | 1 put | value byte count | seal position (4), key, tag, sealed value |
/// | 2 delete | 0 | key |
/// | 3 blocks | number of blocks, n | object (8), first block (8), seal position (4), n × t tags, sealed bytes |
/// | 4 map | number of blocks, n | object (8), first block (8), offset (8), segment (4), incarnation (4), epoch (8), seal LSN (8), n × t tags |
/// | 5 free | 0 | object (8), first block (8), number of blocks (8) |
/// | 6 allocate | 0 | as free |
/// | 16 created | byte count, n | n bytes of `ReplicaDescription` |
/// | 17 capacity changed | 0 | bytes (8) |
/// | 18 opened | 0 | nothing: epoch and incarnation stand in the frame |
/// | 19 generation ended | 0 | generation (8) |
/// | 20 dropped | 0 | nothing |
///
/// Flag 1 of `blocks` is reserved for a zero tail that is not stored. What a put or block was
/// sealed with is the frame's epoch, incarnation and LSN, and the position that stands here.
package enum RecordPayload {
  package static let headerByteCount = 16
  static let formatVersion: UInt16 = 1

  enum Kind: UInt8 {
    case put = 1
    case delete = 2
    case blocks = 3
    case map = 4
    case free = 5
    case allocate = 6
    case created = 16
    case capacityChanged = 17
    case opened = 18
    case generationEnded = 19
    case dropped = 20
  }
}

/// Blocks whose sealed bytes the record carries.
package struct InlineBlocks {
  package var object: ObjectNumber
  package var firstBlock: BlockNumber
  package var blockCount: Int
  package var sealPosition: UInt32
  package var tags: UnsafeRawBufferPointer
  /// Of the sealed bytes, from the payload's start.
  package var dataOffset: Int

  package init(
    object: ObjectNumber, firstBlock: BlockNumber, blockCount: Int, sealPosition: UInt32,
    tags: UnsafeRawBufferPointer, dataOffset: Int
  ) {
    self.object = object
    self.firstBlock = firstBlock
    self.blockCount = blockCount
    self.sealPosition = sealPosition
    self.tags = tags
    self.dataOffset = dataOffset
  }
}

/// A run of whole blocks of an object.
package struct BlockRange: Hashable, Sendable {
  package var object: ObjectNumber
  package var firstBlock: BlockNumber
  package var blockCount: UInt64

  package init(object: ObjectNumber, firstBlock: BlockNumber, blockCount: UInt64) {
    self.object = object
    self.firstBlock = firstBlock
    self.blockCount = blockCount
  }
}

/// One entry of a record, its bytes still the payload's.
package enum RecordEntry {
  case put(
    key: StoreKey, sealPosition: UInt32, tag: UnsafeRawBufferPointer,
    sealedBytes: UnsafeRawBufferPointer)
  case delete(key: StoreKey)
  case blocks(InlineBlocks)
  case map(object: ObjectNumber, firstBlock: BlockNumber, extent: PreparedExtent)
  case free(BlockRange)
  case allocate(BlockRange)
  case created(ReplicaDescription)
  case capacityChanged(capacityBytes: UInt64)
  case opened
  case generationEnded(Generation)
  case dropped
}
