package import StorageModel

/// Reads little-endian numbers and bytes; the one place that reads unaligned.
///
/// Never reads past its end: what is too short is a `Corruption` that names the structure.
package struct ByteReader {
  package let bytes: UnsafeRawBufferPointer
  package private(set) var offset = 0
  private let structure: StaticString

  /// - Parameter structure: what is being read, for errors: `chunk`.
  package init(_ bytes: UnsafeRawBufferPointer, structure: StaticString) {
    self.bytes = bytes
    self.structure = structure
  }

  package var remaining: Int { bytes.count - offset }

  package mutating func readUInt8() throws(Corruption) -> UInt8 { try number() }
  package mutating func readUInt16() throws(Corruption) -> UInt16 { try number() }
  package mutating func readUInt32() throws(Corruption) -> UInt32 { try number() }
  package mutating func readUInt64() throws(Corruption) -> UInt64 { try number() }

  /// Four numbers at once: 32 bytes.
  package mutating func readFourUInt64() throws(Corruption) -> (UInt64, UInt64, UInt64, UInt64) {
    guard remaining >= 32 else { throw tooShort(32) }
    defer { offset += 32 }
    return (
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)),
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)),
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
    )
  }

  package mutating func readUUID() throws(Corruption) -> UUIDValue {
    UUIDValue(high: try readBigEndianUInt64(), low: try readBigEndianUInt64())
  }

  package mutating func readBigEndianUInt64() throws(Corruption) -> UInt64 {
    UInt64(bigEndian: UInt64(littleEndian: try number()))
  }

  package mutating func readBigEndianUInt32() throws(Corruption) -> UInt32 {
    UInt32(bigEndian: UInt32(littleEndian: try number()))
  }

  /// The next `count` bytes, still the owner's memory.
  package mutating func readBytes(_ count: Int) throws(Corruption) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else { throw tooShort(count) }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  /// A text behind its 16-bit length; bytes that are not UTF-8 are corruption.
  package mutating func readText() throws(Corruption) -> String {
    let raw = try readBytes(Int(try readUInt16()))
    guard let text = String(validating: raw, as: UTF8.self) else {
      throw corruption(expected: "UTF-8 text", found: "other bytes")
    }
    return text
  }

  /// Throws unless `value` is what the format demands.
  package func require<Value: Equatable>(
    _ what: StaticString, _ value: Value, is expected: Value
  ) throws(Corruption) {
    guard value != expected else { return }
    throw corruption(expected: "\(what) \(expected)", found: "\(value)")
  }

  /// Throws unless everything was read.
  package func requireEnd() throws(Corruption) {
    guard remaining > 0 else { return }
    throw corruption(expected: "its end", found: "\(remaining) more bytes")
  }

  /// An error at the place reached so far.
  package func corruption(expected: String, found: String) -> Corruption {
    Corruption(place: "\(structure), byte \(offset)", expected: expected, found: found)
  }

  @inline(__always)
  private mutating func number<Number: FixedWidthInteger>() throws(Corruption) -> Number {
    let size = MemoryLayout<Number>.size
    guard size <= remaining else { throw tooShort(size) }
    defer { offset += size }
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  private func tooShort(_ count: Int) -> Corruption {
    corruption(expected: "\(count) more bytes", found: "\(remaining)")
  }
}
