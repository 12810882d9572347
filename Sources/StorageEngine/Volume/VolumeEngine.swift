package import DiskFormat
package import IOSeams
package import StorageModel

/// One replica of a volume: its keys and data, on the seams of a pool.
///
/// The runtime keeps it behind the volume's lock. Reading data and writing it directly take two
/// steps, so that no lock is held while the disk works: `resolve` and `reserve` under the lock
/// make plain values, `ReadPlan.execute` and `DirectWrite` use them outside it.
///
/// Life: `create`, or `load` → `replay`… → `finishRecovery` → `open`; then everything else.
package struct VolumeEngine<
  Index: IndexStore, Journal: JournalStore, Segments: SegmentStore, Sealer: BlockSealer
>: Sendable {
  package internal(set) var description: ReplicaDescription
  package internal(set) var state: VolumeState
  package let index: Index
  package let journal: Journal
  package let segments: Segments
  package let sealer: Sealer

  let keys: IndexKey
  /// The record being made; its memory is kept.
  var recordWriter: RecordWriter
  /// Seals made under the next LSN by commits that failed: their numbers are not used again.
  var sealPosition: UInt32 = 0
  /// Direct writes sealed in this incarnation.
  var directSealCount: UInt64 = 0
  /// Whether this incarnation was journaled and synced.
  var isOpen = false
  /// Why the volume stopped taking writes.
  package internal(set) var readOnlyReason: String?
  var residents = JournalResidents()
  var corruption = CorruptBlocks()
  /// Why the journal could not be replayed to its end.
  var damage: Corruption?
  /// Bytes of segments freed since the last `pendingFrees`.
  package internal(set) var freedByteCount: UInt64 = 0

  /// The volume as the index has it, before recovery.
  init(
    description: ReplicaDescription, state: VolumeState, index: Index, journal: Journal,
    segments: Segments, sealer: Sealer
  ) {
    self.description = description
    self.state = state
    self.index = index
    self.journal = journal
    self.segments = segments
    self.sealer = sealer
    keys = IndexKey(description.specification.id)
    recordWriter = RecordWriter(
      tagByteCount: sealer.tagByteCount, blockSize: description.specification.blockSize)
  }

  package var id: VolumeID { description.specification.id }
  package var blockSize: BlockSize { description.specification.blockSize }
  package var capacityBlocks: UInt64 {
    description.specification.capacityBytes >> UInt64(blockSize.shift)
  }
  package var usedBlocks: UInt64 { state.usedBlocks }

  /// Blocks that did not verify when they were read, since the volume was loaded.
  package var corruptBlocks: [BlockAddress] { corruption.addresses }

  /// Remembers a block that did not verify, until it is written again.
  package mutating func noteCorruption(at address: BlockAddress) { corruption.insert(address) }

  /// Stops the volume: every later change throws `.readOnly` with this reason.
  package mutating func stopWrites(reason: String) {
    if readOnlyReason == nil { readOnlyReason = reason }
  }

  func requireWritable() throws(StoreError) {
    if let readOnlyReason { throw .readOnly(readOnlyReason) }
    guard isOpen else { throw .readOnly("the volume is not open for writing") }
    guard sealPosition < UInt32.max / 2 else {
      throw .readOnly("the journal refused too many records in a row")
    }
  }

  /// Who writes the next record.
  var nextIdentity: RecordIdentity {
    RecordIdentity(
      volume: id, epoch: state.epoch, incarnation: state.incarnation, lsn: state.lastLSN.next)
  }
}

/// A block's place in its volume.
package struct BlockAddress: Hashable, Sendable, CustomStringConvertible {
  package var object: ObjectNumber
  package var block: BlockNumber

  package init(object: ObjectNumber, block: BlockNumber) {
    self.object = object
    self.block = block
  }

  package var description: String { "object \(object.rawValue), block \(block)" }

  /// The error of a block that does not verify.
  package var corruption: Corruption {
    Corruption(place: description, expected: "bytes that match their tag", found: "other bytes")
  }
}

/// The blocks that did not verify; the first 1024 of them.
struct CorruptBlocks: Sendable {
  private static let maximumCount = 1024
  private(set) var addresses: [BlockAddress] = []

  mutating func insert(_ address: BlockAddress) {
    guard addresses.count < Self.maximumCount, !addresses.contains(address) else { return }
    addresses.append(address)
  }

  mutating func remove(_ range: BlockRange) {
    guard !addresses.isEmpty else { return }
    addresses.removeAll { address in
      address.object == range.object && address.block >= range.firstBlock
        && address.block.rawValue - range.firstBlock.rawValue < range.blockCount
    }
  }
}

extension SealStamp {
  /// What the sealer is given.
  var nonce: SealNonce {
    SealNonce(epoch: epoch, incarnation: incarnation, lsn: lsn, position: position)
  }
}
