import DiskFormat
import IOSeams
import StorageModel

extension RecordDraft {
  /// Applies one entry of a record, whoever made it.
  mutating func apply(
    _ entry: RecordEntry, to description: ReplicaDescription
  ) throws(StoreError) {
    switch entry {
    case .put(let key, let sealPosition, let tag, let sealedBytes):
      try put(key, sealPosition: sealPosition, tag: tag, sealedBytes: sealedBytes)
    case .delete(let key): try delete(key)
    case .blocks(let blocks): try write(blocks)
    case .map(let object, let firstBlock, let extent):
      state.consume(extent.range(blockSize: blockSize))
      try map(object, firstBlock, extent)
    case .free(let range): try free(range)
    case .allocate(let range): try allocate(range)
    case .created, .capacityChanged, .opened, .generationEnded, .dropped:
      applyAdministration(entry, to: description)
    }
  }

  /// Applies an administrative entry; others do nothing.
  mutating func applyAdministration(
    _ entry: RecordEntry, to description: ReplicaDescription
  ) {
    switch entry {
    case .created(let created): self.description = created
    case .capacityChanged(let capacityBytes):
      var changed = description
      changed.specification.capacityBytes = capacityBytes
      self.description = changed
    case .generationEnded(let generation):
      state.generation = Generation(generation.rawValue + 1)
      state.generationStart = identity.lsn
    case .opened, .dropped, .put, .delete, .blocks, .map, .free, .allocate: break
    }
  }
}

extension PreparedExtent {
  func range(blockSize: BlockSize) -> FreedRange {
    FreedRange(location: location, byteCount: UInt64(blockCount) << UInt64(blockSize.shift))
  }
}

/// Ranges of segments that a record frees, neighbours joined.
struct FreedRanges {
  private(set) var ranges: [FreedRange] = []

  mutating func insert(_ location: SegmentLocation, byteCount: UInt64) {
    if let last = ranges.last, last.location.segment == location.segment,
      last.location.offsetBytes + last.byteCount == location.offsetBytes
    {
      ranges[ranges.count - 1].byteCount += byteCount
    } else {
      ranges.append(FreedRange(location: location, byteCount: byteCount))
    }
  }

  var byteCount: UInt64 { ranges.reduce(0) { $0 + $1.byteCount } }
}
