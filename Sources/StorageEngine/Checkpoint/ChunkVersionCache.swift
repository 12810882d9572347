import DiskFormat
import IOSeams
import StorageModel

/// The chunk that was looked at last, with the versions that snapshots keep of it: moves come in
/// the order of chunks, so each is decoded once.
struct ChunkVersionCache {
  struct Version {
    var key: [UInt8]
    var chunk: Chunk
    var isChanged = false
  }

  private(set) var address: ChunkAddress?
  private(set) var versions: [Version] = []

  mutating func load(_ address: ChunkAddress, _ versions: [Version]) {
    self.address = address
    self.versions = versions
  }

  /// Moves blocks in every version that has them there; returns which were moved in any.
  mutating func move(
    _ part: Range<Int>, from: JournalPosition, to location: SegmentLocation, blockByteCount: Int
  ) -> UInt64 {
    var moved: UInt64 = 0
    for index in versions.indices {
      let bits = versions[index].chunk.move(
        part, from: from, to: location, blockByteCount: blockByteCount)
      if bits != 0 { versions[index].isChanged = true }
      moved |= bits
    }
    return moved
  }

  mutating func encodeChanges(to batch: inout IndexBatch) {
    for index in versions.indices where versions[index].isChanged {
      batch.put(
        versions[index].key, versions[index].chunk.encoded(recordPayload: .zero))
      versions[index].isChanged = false
    }
  }
}

extension VolumeEngine {
  /// The chunk and its older versions, from the cache if it is the same chunk as before.
  func versions(
    of address: ChunkAddress, _ cache: inout ChunkVersionCache
  ) throws(StoreError) -> [ChunkVersionCache.Version] {
    if cache.address == address { return cache.versions }
    var versions: [ChunkVersionCache.Version] = []
    let headKey = keys.headChunk(address.object, address.chunk)
    if let bytes = try index.value(for: headKey) {
      versions.append(try version(headKey, bytes))
    }
    if state.generation > .first {
      var stored: [(key: [UInt8], value: [UInt8])] = []
      try index.scan(
        from: keys.historyChunk(address.object, address.chunk, through: Generation(0)),
        to: keys.historyChunk(address.object, address.chunk, through: state.generation)
      ) { key, value in
        stored.append((Array(key), Array(value)))
        return true
      }
      for (key, value) in stored { versions.append(try version(key, value)) }
    }
    cache.load(address, versions)
    return versions
  }

  private func version(
    _ key: [UInt8], _ value: [UInt8]
  ) throws(StoreError) -> ChunkVersionCache.Version {
    let chunk = try corrupt { () throws(Corruption) in
      try value.decoded { (bytes) throws(Corruption) in
        try Chunk.decode(bytes, tagByteCount: sealer.tagByteCount)
      }
    }
    return ChunkVersionCache.Version(key: key, chunk: chunk)
  }
}
