/// A key of the VFS inside its volume. Keys are compared byte by byte.
package struct StoreKey: Hashable, Sendable, Comparable {
  package var bytes: [UInt8]

  /// The longest key that a volume accepts.
  package static let maximumByteCount = 64

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package static func < (left: StoreKey, right: StoreKey) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

/// Data that already lies, sealed, in fresh space of a segment but that no chunk refers to yet.
///
/// Made by the runtime for writes of `Transaction.directWriteByteCount` and more: space is
/// reserved under the volume's lock, sealed and written outside it, then committed as mapping.
package struct PreparedExtent: Hashable, Sendable {
  package var location: SegmentLocation
  package var blockCount: Int
  /// The reservation's number: with it, in place of an LSN, the blocks were sealed.
  package var sealLSN: LSN
  package var incarnation: Incarnation
  package var epoch: Epoch
  /// `blockCount` checksums or GCM tags, one after the other.
  package var tags: [UInt8]

  package init(
    location: SegmentLocation, blockCount: Int, sealLSN: LSN, incarnation: Incarnation,
    epoch: Epoch, tags: [UInt8]
  ) {
    self.location = location
    self.blockCount = blockCount
    self.sealLSN = sealLSN
    self.incarnation = incarnation
    self.epoch = epoch
    self.tags = tags
  }
}

/// One change of a volume's keys or data.
package enum Mutation {
  case put(key: StoreKey, value: [UInt8])
  case delete(key: StoreKey)
  /// Writes bytes at any alignment; a partly covered block keeps its other bytes, and what was
  /// never written reads as zeros. At most `Transaction.maximumInlineByteCount` a transaction.
  /// The bytes stay the caller's and are read until `commit` returns.
  case write(object: ObjectNumber, offsetBytes: UInt64, bytes: UnsafeRawBufferPointer)
  /// Maps whole blocks, from `firstBlock` on, to data that lies in a segment already.
  case map(object: ObjectNumber, firstBlock: BlockNumber, extent: PreparedExtent)
  /// Makes a byte range read as zeros: whole blocks are freed, partly covered ones rewritten.
  case zero(object: ObjectNumber, offsetBytes: UInt64, byteCount: UInt64)
  /// Charges whole blocks to the volume without data; they read as zeros. Mapped ones stay.
  case allocate(object: ObjectNumber, firstBlock: BlockNumber, blockCount: UInt64)
}

/// Changes that become one record: journaled, replicated and recovered all or none.
package struct Transaction {
  package var mutations: [Mutation]

  /// A write this large goes straight to a segment and only its mapping is journaled.
  package static let directWriteByteCount = 64 << 10
  /// The most data bytes that a transaction carries in its journal record: one FUSE write.
  package static let maximumInlineByteCount = 1 << 20

  package init(_ mutations: [Mutation] = []) { self.mutations = mutations }

  package mutating func put(_ key: StoreKey, _ value: [UInt8]) {
    mutations.append(.put(key: key, value: value))
  }

  package mutating func delete(_ key: StoreKey) { mutations.append(.delete(key: key)) }
}

/// What a committed transaction became.
package struct CommitReceipt: Hashable, Sendable {
  package let lsn: LSN
  /// The record is durable once the journal is synced up to here.
  package let end: JournalPosition

  package init(lsn: LSN, end: JournalPosition) {
    self.lsn = lsn
    self.end = end
  }
}
