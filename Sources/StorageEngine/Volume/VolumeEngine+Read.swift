import DiskFormat
import IOSeams
package import StorageModel

extension VolumeEngine {
  package func value(for key: StoreKey) throws(StoreError) -> [UInt8]? {
    guard let bytes = try index.value(for: keys.head(key)) else { return nil }
    var result: Result<[UInt8], StoreError> = .success([])
    bytes.withUnsafeBytes { bytes in
      do throws(StoreError) { result = .success(try opened(bytes, key)) } catch {
        result = .failure(error)
      }
    }
    return try result.get()
  }

  package func scan(
    from lower: StoreKey, to upper: StoreKey,
    _ visit: (_ key: StoreKey, _ value: [UInt8]) -> Bool
  ) throws(StoreError) {
    guard lower < upper else { return }
    var failure: StoreError?
    try index.scan(from: keys.head(lower), to: keys.head(upper)) { rawKey, rawValue in
      do throws(StoreError) {
        let key = try corrupt { () throws(Corruption) in try IndexKey.storeKey(rawKey) }
        return visit(key, try opened(rawValue, key))
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
  }

  package func nameHash(_ name: [UInt8]) -> UInt64 {
    name.withUnsafeBytes { sealer.nameHash($0) }
  }

  private func opened(
    _ bytes: UnsafeRawBufferPointer, _ key: StoreKey
  ) throws(StoreError) -> [UInt8] {
    let head = try corrupt { () throws(Corruption) in
      try HeadValue.decode(bytes, tagByteCount: sealer.tagByteCount)
    }
    var value = Array(head.sealedBytes)
    let opens = value.withUnsafeMutableBytes {
      sealer.open($0, nonce: head.seal.nonce, place: .value(key: key), tag: head.tag)
    }
    guard opens else {
      throw .corrupt(
        Corruption(
          place: "value of a key of \(key.bytes.count) bytes, LSN \(head.seal.lsn)",
          expected: "bytes that match their tag", found: "other bytes"))
    }
    return value
  }

  package func firstBlock(
    in object: ObjectNumber, from block: BlockNumber, below limit: BlockNumber, mapped: Bool
  ) throws(StoreError) -> BlockNumber? {
    guard block < limit else { return nil }
    // The first block that is not known to be of the other kind.
    var candidate = block.rawValue
    var found: UInt64?
    let last = (limit.rawValue - 1) / UInt64(ChunkNumber.blockCount)
    try ChunkScan.visit(
      object, block.chunk.rawValue...last, index: index, keys: keys,
      tagByteCount: sealer.tagByteCount
    ) { (address, chunk, _) throws(StoreError) in
      let base = address.chunk.firstBlock.rawValue
      for run in chunk.runs where run.hasData {
        let start = base + UInt64(run.first)
        let end = start + UInt64(run.count)
        guard end > candidate else { continue }
        if mapped || start > candidate {
          found = mapped ? max(start, candidate) : candidate
          return false
        }
        candidate = end
      }
      return true
    }
    let result = found ?? (mapped ? limit.rawValue : candidate)
    return result < limit.rawValue ? BlockNumber(result) : nil
  }

  package func occupiedBlocks(
    of object: ObjectNumber, in range: Range<UInt64>
  ) throws(StoreError) -> UInt64 {
    guard !range.isEmpty else { return 0 }
    let perChunk = UInt64(ChunkNumber.blockCount)
    var count: UInt64 = 0
    try ChunkScan.visit(
      object, range.lowerBound / perChunk...(range.upperBound - 1) / perChunk, index: index,
      keys: keys, tagByteCount: sealer.tagByteCount
    ) { (address, chunk, _) throws(StoreError) in
      let base = address.chunk.firstBlock.rawValue
      for run in chunk.runs {
        let blocks = base + UInt64(run.first)..<base + UInt64(run.end)
        count += UInt64(blocks.clamped(to: range).count)
      }
      return true
    }
    return count
  }
}
