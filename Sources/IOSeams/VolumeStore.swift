package import StorageModel

/// What the file system asks of the engine: one volume's keys and data.
///
/// Calls are made under the volume's lock. A transaction is visible to every later call as soon
/// as `commit` returned; it is durable when the journal was synced up to the receipt's end.
package protocol VolumeStore {
  var blockSize: BlockSize { get }
  /// Data blocks that the volume may hold.
  var capacityBlocks: UInt64 { get }
  /// Data blocks that it holds, allocated ones included.
  var usedBlocks: UInt64 { get }

  func value(for key: StoreKey) throws(StoreError) -> [UInt8]?

  /// Visits keys in `lower ..< upper` in order, with their opened values, until `visit` returns
  /// false. Costs grow with what is visited, not with what exists.
  func scan(
    from lower: StoreKey, to upper: StoreKey,
    _ visit: (_ key: StoreKey, _ value: [UInt8]) -> Bool) throws(StoreError)

  /// A keyed, stable hash of a name (`BlockSealer.nameHash`).
  func nameHash(_ name: [UInt8]) -> UInt64

  /// The first block at or after `block` whose being mapped equals `mapped`, below `limit`; nil
  /// if there is none. Allocated blocks without data count as not mapped (SEEK_HOLE may say so).
  func firstBlock(
    in object: ObjectNumber, from block: BlockNumber, below limit: BlockNumber, mapped: Bool
  ) throws(StoreError) -> BlockNumber?

  /// How many of an object's blocks in a range occupy space, allocated ones included.
  func occupiedBlocks(of object: ObjectNumber, in range: Range<UInt64>) throws(StoreError) -> UInt64

  /// Journals and applies the transaction, all or nothing; on an error nothing has changed.
  mutating func commit(_ transaction: Transaction) throws(StoreError) -> CommitReceipt
}
