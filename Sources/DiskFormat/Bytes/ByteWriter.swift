package import StorageModel

/// Appends little-endian numbers and bytes; the one place that writes unaligned.
package struct ByteWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init(reservingByteCount count: Int = 0) { bytes.reserveCapacity(count) }

  package var count: Int { bytes.count }

  /// Empties the writer and keeps its memory.
  package mutating func reset() { bytes.removeAll(keepingCapacity: true) }

  package mutating func append(_ value: UInt8) { bytes.append(value) }
  package mutating func append(_ value: UInt16) { appendNumber(value) }
  package mutating func append(_ value: UInt32) { appendNumber(value) }
  package mutating func append(_ value: UInt64) { appendNumber(value) }
  package mutating func append(_ value: Int64) { appendNumber(UInt64(bitPattern: value)) }

  /// Four numbers at once: 32 bytes.
  package mutating func append(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
    let words = (a.littleEndian, b.littleEndian, c.littleEndian, d.littleEndian)
    withUnsafeBytes(of: words) { bytes.append(contentsOf: $0) }
  }

  /// Sixteen bytes in the order of RFC 9562.
  package mutating func append(_ value: UUIDValue) {
    appendBigEndian(value.high)
    appendBigEndian(value.low)
  }

  /// A number whose bytes sort as it does: for index keys.
  package mutating func appendBigEndian(_ value: UInt64) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  package mutating func appendBigEndian(_ value: UInt32) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  package mutating func append(contentsOf other: [UInt8]) { bytes.append(contentsOf: other) }

  package mutating func append(contentsOf other: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: other)
  }

  /// A text of at most 65535 bytes behind its length.
  package mutating func append(text: String) {
    var text = text
    text.withUTF8 { utf8 in
      append(UInt16(truncatingIfNeeded: utf8.count))
      append(contentsOf: UnsafeRawBufferPointer(utf8))
    }
  }

  /// Appends `count` zeros, to be filled in place; returns where they start.
  @discardableResult
  package mutating func appendZeros(_ count: Int) -> Int {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    return start
  }

  /// Replaces four bytes written before.
  package mutating func overwrite(_ value: UInt32, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) { source in
      bytes.withUnsafeMutableBytes { target in
        UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + 4]).copyMemory(
          from: source)
      }
    }
  }

  /// Lends what was written so far, to be read and changed in place.
  package mutating func withMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try bytes.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
      try body(UnsafeMutableRawBufferPointer(buffer))
    }
  }

  @inline(__always)
  private mutating func appendNumber<Number: FixedWidthInteger>(_ value: Number) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
}
