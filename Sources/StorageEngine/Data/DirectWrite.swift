import DiskFormat
package import IOSeams
package import StorageModel

/// Fresh space in a segment for one direct write.
package struct Reservation: Hashable, Sendable {
  package let volume: VolumeID
  package let location: SegmentLocation
  package let blockCount: Int
  /// The seal of the first block.
  let seal: SealStamp
  let blockSize: BlockSize
}

extension VolumeEngine {
  /// Reserves space for `blockCount` blocks, 1 ... 256 MiB in all.
  ///
  /// The seal's number is not an LSN: it has the highest bit set and counts the direct writes of
  /// this incarnation. LSNs never reach that bit, the counter only rises, and each time the
  /// volume is opened the incarnation is another one, journaled and synced before its first seal.
  /// So no crash can bring a number back under the same incarnation.
  package mutating func reserve(blockCount: Int) throws(StoreError) -> Reservation {
    try requireWritable()
    let byteCount = UInt64(max(blockCount, 0)) << UInt64(blockSize.shift)
    guard blockCount > 0, byteCount <= VolumeState.segmentByteCount else {
      throw .invalid("a direct write has 1 block to 256 MiB, not \(blockCount) blocks")
    }
    let seal = SealStamp(
      epoch: state.epoch, incarnation: state.incarnation,
      lsn: LSN(Self.directSealBit | directSealCount), position: 0)
    directSealCount += 1
    return Reservation(
      volume: id, location: state.reserve(byteCount: byteCount), blockCount: blockCount,
      seal: seal, blockSize: blockSize)
  }

  /// Gives the space of a direct write back that was not committed.
  package mutating func abandon(_ reservation: Reservation) throws(StoreError) {
    try release(
      FreedRange(
        location: reservation.location,
        byteCount: UInt64(reservation.blockCount) << UInt64(blockSize.shift)))
  }

  /// Turns reserved space into space that awaits its hole.
  mutating func release(_ range: FreedRange) throws(StoreError) {
    guard state.isReserved(range) else { return }
    try requireWritable()
    var next = state
    next.consume(range)
    var batch = IndexBatch()
    batch.put(keys.pendingFree(range.location), range.encodedByteCount)
    batch.put(keys.state, next.encoded())
    try index.write(batch)
    state = next
    freedByteCount += range.byteCount
  }

  private static var directSealBit: UInt64 { 1 << 63 }
}

/// Writes data into reserved space, without the volume's lock.
package enum DirectWrite {
  /// Seals `source`, whole blocks that will be mapped from `firstBlock` on, and writes it.
  ///
  /// A sealer that does not encrypt costs no copy. Otherwise `scratch`, at least one block, takes
  /// the sealed bytes part by part; the larger it is, the fewer writes.
  package static func write(
    _ source: UnsafeRawBufferPointer, object: ObjectNumber, firstBlock: BlockNumber,
    to reservation: Reservation, segments: some SegmentStore, sealer: some BlockSealer,
    scratch: UnsafeMutableRawBufferPointer
  ) throws(StoreError) -> PreparedExtent {
    let size = reservation.blockSize.byteCount
    guard source.count == reservation.blockCount * size else {
      throw .invalid(
        "\(source.count) bytes for a reservation of \(reservation.blockCount) blocks")
    }
    let target = sealer.encrypts ? scratch : UnsafeMutableRawBufferPointer(mutating: source)
    guard target.count >= size else { throw .invalid("scratch memory of less than a block") }
    var tags = [UInt8](repeating: 0, count: reservation.blockCount * sealer.tagByteCount)
    var done = 0
    while done < reservation.blockCount {
      let count = min(target.count / size, reservation.blockCount - done)
      let part = UnsafeMutableRawBufferPointer(rebasing: target[..<(count * size)])
      tags.withUnsafeMutableBytes { tags in
        for index in 0..<count {
          let block = done + index
          sealer.seal(
            UnsafeRawBufferPointer(rebasing: source[block * size..<(block + 1) * size]),
            into: UnsafeMutableRawBufferPointer(
              rebasing: part[index * size..<(index + 1) * size]),
            nonce: reservation.seal.advanced(by: block).nonce,
            place: .block(object: object, block: firstBlock.advanced(by: UInt64(block))),
            tag: UnsafeMutableRawBufferPointer(
              rebasing: tags[
                block * sealer.tagByteCount..<(block + 1) * sealer.tagByteCount]))
        }
      }
      try segments.write(
        UnsafeRawBufferPointer(part), volume: reservation.volume,
        at: reservation.location.advanced(byByteCount: done * size))
      done += count
    }
    return PreparedExtent(
      location: reservation.location, blockCount: reservation.blockCount,
      sealLSN: reservation.seal.lsn, incarnation: reservation.seal.incarnation,
      epoch: reservation.seal.epoch, tags: tags)
  }
}
