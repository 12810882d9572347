/// One field of a serialized protobuf message.
enum ProtobufValue: Equatable {
  case varint(UInt64)
  case fixed64(UInt64)
  case bytes(ArraySlice<UInt8>)
  case fixed32(UInt32)
}

/// Bytes that are not a protobuf message, with the place.
struct ProtobufError: Error, Hashable, CustomStringConvertible {
  let offset: Int
  let problem: String

  var description: String { "malformed protobuf at byte \(offset): \(problem)" }
}

/// Reads the fields of a serialized protobuf message one by one. Any bytes read or throw.
///
/// Only for the few small messages of the standard services, and to find names in descriptors.
struct ProtobufReader {
  private var rest: ArraySlice<UInt8>
  private let start: Int

  init(_ bytes: ArraySlice<UInt8>) {
    rest = bytes
    start = bytes.startIndex
  }

  /// The next field's number and value; nil at the end.
  mutating func next() throws(ProtobufError) -> (number: Int, value: ProtobufValue)? {
    guard !rest.isEmpty else { return nil }
    let key = try varint()
    let number = Int(truncatingIfNeeded: key >> 3)
    guard key >> 3 >= 1, key >> 3 < 1 << 29 else {
      throw failure("field number \(key >> 3) is out of range")
    }
    switch key & 7 {
    case 0: return (number, .varint(try varint()))
    case 1: return (number, .fixed64(try little(8)))
    case 2:
      let count = try varint()
      guard count <= UInt64(rest.count) else {
        throw failure("field of \(count) bytes, only \(rest.count) are left")
      }
      return (number, .bytes(take(Int(count))))
    case 5: return (number, .fixed32(UInt32(try little(4))))
    default: throw failure("wire type \(key & 7) is not in use")
    }
  }

  private mutating func varint() throws(ProtobufError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard let byte = rest.popFirst() else { throw failure("it ends inside a number") }
      guard shift < 63 || byte <= 1 else { break }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw failure("a number has more than 64 bits")
  }

  private mutating func little(_ count: Int) throws(ProtobufError) -> UInt64 {
    guard rest.count >= count else { throw failure("it ends inside a number") }
    return take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  private func failure(_ problem: String) -> ProtobufError {
    ProtobufError(offset: rest.startIndex - start, problem: problem)
  }
}

extension ProtobufValue {
  /// The bytes of a length-delimited field.
  func requireBytes(_ field: String) throws(ProtobufError) -> ArraySlice<UInt8> {
    guard case .bytes(let bytes) = self else {
      throw ProtobufError(offset: 0, problem: "\(field): expected a length-delimited field")
    }
    return bytes
  }

  /// The text of a string field.
  func requireText(_ field: String) throws(ProtobufError) -> String {
    let bytes = try requireBytes(field)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ProtobufError(offset: 0, problem: "\(field): not UTF-8")
    }
    return text
  }

  /// The number of an integer or enumeration field.
  func requireNumber(_ field: String) throws(ProtobufError) -> UInt64 {
    guard case .varint(let number) = self else {
      throw ProtobufError(offset: 0, problem: "\(field): expected a varint")
    }
    return number
  }
}

/// Writes the fields of a protobuf message.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  mutating func number(_ field: Int, _ value: UInt64) {
    varint(UInt64(field) << 3)
    varint(value)
  }

  mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func text(_ field: Int, _ value: String) { bytes(field, Array(value.utf8)) }

  mutating func message(_ field: Int, _ fill: (inout ProtobufWriter) -> Void) {
    var writer = ProtobufWriter()
    fill(&writer)
    bytes(field, writer.bytes)
  }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }
}
