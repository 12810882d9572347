import DiskFormat
import StorageModel
import Testing

struct JournalFrameTests {
  private let payload: [UInt8] = [1, 2, 3, 4, 5]

  private var frame: JournalFrame {
    JournalFrame(
      volume: testVolume, epoch: Epoch(3), incarnation: Incarnation(7), lsn: LSN(99),
      position: JournalPosition(4096), barrier: JournalPosition(2048),
      payloadByteCount: payload.count, payloadChecksum: payload.withUnsafeBytes(testChecksum))
  }

  private func encoded(_ frame: JournalFrame) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: JournalFrame.headerByteCount)
    bytes.withUnsafeMutableBytes { frame.encode(into: $0, checksum: testChecksum) }
    return bytes
  }

  @Test func `a header survives the way to disk and back`() throws {
    let decoded = try encoded(frame).withUnsafeBytes {
      try JournalFrame.decode($0, at: JournalPosition(4096), checksum: testChecksum)
    }
    #expect(decoded == frame)
    #expect(decoded.payload == JournalPosition(4184))
    #expect(decoded.end == JournalPosition(4192))
  }

  @Test func `format version 1 of the header never changes`() {
    #expect(
      hex(encoded(frame))
        == "47464a52010000000500000007000000001000000000000000112233445566778899aabbccddeeff"
        + "0300000000000000630000000000000000080000000000000000000000000000"
        + "887d6b4fbfdc660f5eefd9dcfc6cf026")
  }

  @Test func `a header at another position does not verify`() {
    #expect(throws: Corruption.self) {
      try encoded(frame).withUnsafeBytes {
        _ = try JournalFrame.decode($0, at: JournalPosition(8192), checksum: testChecksum)
      }
    }
  }

  @Test func `a header that is cut short or has a flipped bit is refused`() {
    let decode: (UnsafeRawBufferPointer) throws -> Void = {
      _ = try JournalFrame.decode($0, at: JournalPosition(4096), checksum: testChecksum)
    }
    #expect(acceptedTruncations(of: encoded(frame), decode) == [])
    #expect(acceptedFlips(of: encoded(frame), decode) == [])
  }

  @Test func `a payload that is cut short or has a flipped bit is refused`() {
    let verify: (UnsafeRawBufferPointer) throws -> Void = {
      try frame.verify(payload: $0, checksum: testChecksum)
    }
    #expect(acceptedTruncations(of: payload, verify) == [])
    #expect(acceptedFlips(of: payload, verify) == [])
  }

  @Test(arguments: [(0, 88), (1, 96), (8, 96), (9, 104), (4096, 4184)])
  func `frames are padded to eight bytes`(payloadByteCount: Int, byteCount: Int) {
    #expect(JournalFrame.byteCount(forPayload: payloadByteCount) == byteCount)
  }
}

struct JournalSegmentHeaderTests {
  private let header = JournalSegmentHeader(
    pool: PoolID(testVolume.uuid), sequence: 5, start: JournalPosition(1 << 20),
    fileByteCount: 64 << 20)

  @Test func `a segment header survives the way to disk and back`() throws {
    let bytes = header.encoded(checksum: testChecksum)
    #expect(bytes.count == JournalSegmentHeader.byteCount)
    let decoded = try bytes.withUnsafeBytes {
      try JournalSegmentHeader.decode($0, checksum: testChecksum)
    }
    #expect(decoded == header)
  }

  @Test func `format version 1 of the segment header never changes`() {
    #expect(
      hex(header.encoded(checksum: testChecksum))
        == "47464a530100000000112233445566778899aabbccddeeff0500000000000000"
        + "00001000000000000000000400000000cf78afaa2294a7d4")
  }

  @Test func `a segment header that is cut short or has a flipped bit is refused`() {
    let bytes = header.encoded(checksum: testChecksum)
    let decode: (UnsafeRawBufferPointer) throws -> Void = {
      _ = try JournalSegmentHeader.decode($0, checksum: testChecksum)
    }
    #expect(acceptedTruncations(of: bytes, decode) == [])
    #expect(acceptedFlips(of: bytes, decode) == [])
  }
}
