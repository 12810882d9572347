/// A name that a volume, or a storage class, may bear: safe as a directory's name.
///
/// 1 to 128 bytes of `[A-Za-z0-9._-]`, the first a letter or digit, so neither a path nor an
/// option of a command can hide in it.
package enum VolumeName {
  package static let maximumByteCount = 128

  /// nil for a proper name, else what is wrong with it.
  package static func fault(in name: String) -> String? {
    let bytes = Array(name.utf8)
    guard let first = bytes.first else { return "a name must not be empty" }
    if bytes.count > maximumByteCount {
      return "a name has at most \(maximumByteCount) bytes, this one has \(bytes.count)"
    }
    if !isLetterOrDigit(first) { return "a name starts with a letter or a digit" }
    if let bad = name.unicodeScalars.first(where: { !isAllowed($0) }) {
      let shown = bad.value < 0x20 || bad.value > 0x7E ? "U+\(hex(bad.value))" : "'\(bad)'"
      return "a name is made of letters, digits, '.', '_' and '-', but it has \(shown)"
    }
    return nil
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    guard let byte = UInt8(exactly: scalar.value) else { return false }
    return isLetterOrDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
      || byte == UInt8(ascii: "-")
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  private static func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
