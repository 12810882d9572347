import StorageModel
import Testing

struct BlockGeometryTests {
  @Test(arguments: [4096, 8192, 16384, 32768, 65536])
  func `powers of two from 4 KiB to 64 KiB are block sizes`(byteCount: Int) {
    let size = BlockSize(byteCount: byteCount)
    #expect(size?.byteCount == byteCount)
    #expect(size.map { 1 << $0.shift } == byteCount)
  }

  @Test(arguments: [Int.min, -4096, 0, 1, 2048, 4095, 4097, 6144, 65535, 65537, 131072, Int.max])
  func `nothing else is one`(byteCount: Int) {
    #expect(BlockSize(byteCount: byteCount) == nil)
  }

  @Test func `the standard block is 4 KiB`() {
    #expect(BlockSize.standard.byteCount == 4096)
  }

  @Test(
    arguments: [
      (0, 0), (1, 0), (4095, 0), (4096, 1), (4097, 1), (UInt64.max, UInt64.max >> 12),
    ] as [(UInt64, UInt64)])
  func `a byte lies in the block that holds it`(offset: UInt64, block: UInt64) {
    #expect(BlockSize.standard.block(holding: offset) == BlockNumber(block))
  }

  @Test(
    arguments: [
      (0, 0), (1, 1), (4095, 1), (4096, 1), (4097, 2), (8192, 2),
      (UInt64.max, UInt64.max / 4096 + 1),
    ] as [(UInt64, UInt64)])
  func `bytes take as many blocks as hold them`(bytes: UInt64, blocks: UInt64) {
    #expect(BlockSize.standard.blockCount(holding: bytes) == blocks)
  }

  @Test(
    arguments: [
      (0, 0, 0), (1, 0, 1), (63, 0, 63), (64, 1, 0), (65, 1, 1), (6400, 100, 0),
    ] as [(UInt64, UInt64, Int)])
  func `64 blocks make a chunk`(block: UInt64, chunk: UInt64, index: Int) {
    let number = BlockNumber(block)
    #expect(number.chunk == ChunkNumber(chunk))
    #expect(number.indexInChunk == index)
    #expect(number.chunk.firstBlock.advanced(by: UInt64(index)) == number)
  }

  @Test func `places in a segment are ordered by segment, then by offset`() {
    let places = [(0, 0), (0, 4096), (1, 0), (1, 1)].map {
      SegmentLocation(segment: UInt32($0.0), offsetBytes: UInt64($0.1))
    }
    #expect(places.reversed().sorted() == places)
    #expect(places[0].advanced(byByteCount: 4096) == places[1])
  }
}
