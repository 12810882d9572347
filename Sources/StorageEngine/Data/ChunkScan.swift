import DiskFormat
import IOSeams
import StorageModel

/// Walks the stored chunks of an object in order.
enum ChunkScan {
  /// Visits the chunks in `range` that exist until `visit` returns false.
  static func visit(
    _ object: ObjectNumber, _ range: ClosedRange<UInt64>, index: some IndexStore,
    keys: IndexKey, tagByteCount: Int,
    _ visit: (ChunkAddress, Chunk, UnsafeRawBufferPointer) throws(StoreError) -> Bool
  ) throws(StoreError) {
    let lower = keys.headChunk(object, ChunkNumber(range.lowerBound))
    let upper = keys.headChunk(object, ChunkNumber(range.upperBound)) + [0]
    var failure: StoreError?
    try index.scan(from: lower, to: upper) { key, value in
      do throws(StoreError) {
        let (address, chunk) = try corrupt {
          () throws(Corruption) -> (ChunkAddress, Chunk) in
          let (object, chunk) = try IndexKey.chunk(key)
          return (
            ChunkAddress(object: object, chunk: chunk),
            try Chunk.decode(value, tagByteCount: tagByteCount)
          )
        }
        return try visit(address, chunk, value)
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
  }
}
