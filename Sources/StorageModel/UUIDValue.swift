/// A 128-bit identifier in the form of RFC 9562, without Foundation.
package struct UUIDValue: Hashable, Sendable, Comparable {
  /// Bytes 0–7 and 8–15, each read as a big-endian number.
  package let high: UInt64
  package let low: UInt64

  package static let byteCount = 16

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A version 4 (random) identifier from the given source of randomness.
  package init(randomFrom generator: inout some RandomNumberGenerator) {
    let high = UInt64.random(in: .min ... .max, using: &generator)
    let low = UInt64.random(in: .min ... .max, using: &generator)
    self.high = high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
    self.low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
  }

  /// Parses `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, either case; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let hyphenPositions: Set<Int> = [8, 13, 18, 23]
    var high: UInt64 = 0
    var low: UInt64 = 0
    var digitCount = 0
    var position = 0
    for byte in text.utf8 {
      if hyphenPositions.contains(position) {
        guard byte == UInt8(ascii: "-") else { return nil }
      } else {
        guard let digit = Self.hexDigit(byte) else { return nil }
        if digitCount < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
        digitCount += 1
      }
      position += 1
    }
    guard position == 36, digitCount == 32 else { return nil }
    self.init(high: high, low: low)
  }

  package var bytes: [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
      + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
  }

  package static func < (left: UUIDValue, right: UUIDValue) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}

extension UUIDValue: CustomStringConvertible {
  /// The canonical lower-case form.
  package var description: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for (index, byte) in bytes.enumerated() {
      if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
