/// Appends little-endian fields to a value.
struct ByteWriter {
  private(set) var bytes: [UInt8]

  init(capacity: Int) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  mutating func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }
}

/// Takes little-endian fields out of a value and never traps: what lies past the end reads as
/// zero and leaves `isValid` false.
struct ByteReader {
  private let bytes: [UInt8]
  private var offset = 0
  private(set) var isValid = true

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { offset >= bytes.count }

  mutating func read<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number {
    guard bytes.count - offset >= MemoryLayout<Number>.size else {
      fail()
      return 0
    }
    let number = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
    offset += MemoryLayout<Number>.size
    return Number(littleEndian: number)
  }

  mutating func read(byteCount: Int) -> [UInt8] {
    guard byteCount >= 0, bytes.count - offset >= byteCount else {
      fail()
      return []
    }
    defer { offset += byteCount }
    return Array(bytes[offset..<offset + byteCount])
  }

  mutating func readRest() -> [UInt8] { read(byteCount: bytes.count - offset) }

  private mutating func fail() {
    isValid = false
    offset = bytes.count
  }
}
