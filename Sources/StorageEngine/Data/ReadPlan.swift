package import DiskFormat
import IOSeams
package import StorageModel

/// Where the bytes of a read lie: made under the volume's lock, carried out without it.
///
/// By the time it is carried out its blocks may have been written again, moved and freed. So on
/// any error the caller resolves once more: a plan that compares equal says that the error is
/// real, another one is carried out in its place.
package struct ReadPlan: Hashable, Sendable {
  /// Blocks with data that lie one behind the other, sealed one after the other.
  package struct Piece: Hashable, Sendable {
    package var firstBlock: BlockNumber
    package var blockCount: Int
    package var place: BlockPlace
    package var seal: SealStamp
    /// Of the first tag, in the plan's `tags`.
    package var tagOffset: Int
  }

  package let volume: VolumeID
  package let object: ObjectNumber
  package let offsetBytes: UInt64
  package let byteCount: Int
  package let blockSize: BlockSize
  /// Ascending; what lies between them is zeros.
  package internal(set) var pieces: [Piece] = []
  package internal(set) var tags: [UInt8] = []

  /// Whether nothing has to be read: all zeros.
  package var isZero: Bool { pieces.isEmpty }
}

extension VolumeEngine {
  /// Finds the bytes of a range of an object. Cost: one look-up for each chunk of 64 blocks.
  package func resolve(
    _ object: ObjectNumber, offsetBytes: UInt64, byteCount: Int
  ) throws(StoreError) -> ReadPlan {
    var plan = ReadPlan(
      volume: id, object: object, offsetBytes: offsetBytes, byteCount: byteCount,
      blockSize: blockSize)
    guard byteCount > 0 else { return plan }
    guard offsetBytes.addingSaturating(UInt64(byteCount)) <= Self.maximumObjectByteCount else {
      throw .invalid("\(byteCount) bytes at \(offsetBytes) end behind the last possible byte")
    }
    let first = blockSize.block(holding: offsetBytes)
    let last = blockSize.block(holding: offsetBytes + UInt64(byteCount) - 1)
    let range = BlockRange(
      object: object, firstBlock: first, blockCount: last.rawValue - first.rawValue + 1)
    try range.forEachChunk { (address, part) throws(StoreError) in
      guard let bytes = try index.value(for: keys.headChunk(object, address.chunk)) else { return }
      let chunk = try corrupt { () throws(Corruption) in
        try bytes.decoded { (bytes) throws(Corruption) in
          try Chunk.decode(bytes, tagByteCount: sealer.tagByteCount)
        }
      }
      plan.append(chunk, part, firstBlock: address.chunk.firstBlock)
    }
    return plan
  }
}

extension ReadPlan {
  /// Adds the runs of a chunk that overlap `part`.
  mutating func append(_ chunk: Chunk, _ part: Range<Int>, firstBlock: BlockNumber) {
    for run in chunk.runs
    where run.hasData && run.end > part.lowerBound && run.first < part.upperBound {
      let run = run.part(part, blockByteCount: blockSize.byteCount)
      pieces.append(
        Piece(
          firstBlock: firstBlock.advanced(by: UInt64(run.first)), blockCount: run.count,
          place: run.place, seal: run.seal, tagOffset: tags.count))
      tags += chunk.tags[run.first * chunk.tagByteCount..<run.end * chunk.tagByteCount]
    }
  }
}

/// Why a read failed.
package enum ReadFailure: Error, Hashable, Sendable {
  /// A block does not match its tag.
  case corrupt(BlockAddress)
  case store(StoreError)

  package var storeError: StoreError {
    switch self {
    case .corrupt(let address): .corrupt(address.corruption)
    case .store(let error): error
    }
  }
}
