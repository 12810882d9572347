/// Reads a JSON object (RFC 8259) whose members are texts without escapes, or whole numbers.
struct FlatJSON {
  enum Value: Hashable {
    case text(String)
    case number(Int)
  }

  private var rest: ArraySlice<UInt8>

  /// nil for anything else.
  static func members(of bytes: [UInt8]) -> [String: Value]? {
    var reader = FlatJSON(rest: bytes[...])
    guard let members = reader.object() else { return nil }
    reader.skipSpace()
    return reader.rest.isEmpty ? members : nil
  }

  private mutating func object() -> [String: Value]? {
    guard take("{") else { return nil }
    var members: [String: Value] = [:]
    if take("}") { return members }
    while true {
      guard let name = text(), take(":"), let value = value() else { return nil }
      members[name] = value
      if take("}") { return members }
      guard take(",") else { return nil }
    }
  }

  private mutating func value() -> Value? {
    skipSpace()
    if rest.first == UInt8(ascii: "\"") { return text().map(Value.text) }
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    rest = rest[digits.endIndex...]
    return Int(String(decoding: digits, as: UTF8.self)).map(Value.number)
  }

  private mutating func text() -> String? {
    guard take("\"") else { return nil }
    guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
    let bytes = rest[..<end]
    guard !bytes.contains(UInt8(ascii: "\\")) else { return nil }
    rest = rest[(end + 1)...]
    return String(validating: bytes, as: UTF8.self)
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  private mutating func skipSpace() {
    rest = rest.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
  }
}
