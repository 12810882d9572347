import DiskFormat
import StorageModel

/// FNV-1a: a checksum of the right shape for tests.
func testChecksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

let testVolume = VolumeID(UUIDValue(high: 0x0011_2233_4455_6677, low: 0x8899_AABB_CCDD_EEFF))

func hex(_ bytes: [UInt8]) -> String {
  bytes.map { byte in
    let text = String(byte, radix: 16)
    return text.count == 1 ? "0" + text : text
  }.joined()
}

/// Calls `decode` with every proper prefix of `bytes`; returns those lengths that it accepted.
func acceptedTruncations(
  of bytes: [UInt8], _ decode: (UnsafeRawBufferPointer) throws -> Void
) -> [Int] {
  (0..<bytes.count).filter { count in
    (try? Array(bytes[..<count]).withUnsafeBytes(decode)) != nil
  }
}

/// Calls `decode` with each byte flipped in three ways; returns the bytes whose flip it accepted.
func acceptedFlips(
  of bytes: [UInt8], _ decode: (UnsafeRawBufferPointer) throws -> Void
) -> [Int] {
  bytes.indices.filter { index in
    [UInt8]([0x01, 0x80, 0xFF]).contains { mask in
      var flipped = bytes
      flipped[index] ^= mask
      return (try? flipped.withUnsafeBytes(decode)) != nil
    }
  }
}
