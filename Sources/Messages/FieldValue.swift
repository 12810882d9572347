package import CProtoMessages

/// A Swift value that a member of a C message can hold.
///
/// `member` is the address of the member, or of an element of a repeated one.
package protocol FieldValue: Hashable, Sendable {
  static var fieldDefault: Self { get }
  /// Types of protobuf that the C message may give the field.
  static var wireTypes: [ProtobufCType] { get }
  /// Bytes of one C member.
  static var memberByteCount: Int { get }

  static func load(from member: UnsafeRawPointer, _ place: FieldPlace) throws(MessageError) -> Self
  func store(to member: UnsafeMutableRawPointer, _ arena: MessageArena)
}

/// Where a value was found, for errors.
package struct FieldPlace {
  package let message: String
  package let field: String
}

/// A value that the C message holds in the same bits.
package protocol PlainValue: FieldValue, BitwiseCopyable, Numeric {}

extension PlainValue {
  package static var fieldDefault: Self { 0 }
  package static var memberByteCount: Int { MemoryLayout<Self>.size }

  package static func load(
    from member: UnsafeRawPointer, _ place: FieldPlace
  ) throws(MessageError) -> Self { member.loadUnaligned(as: Self.self) }

  package func store(to member: UnsafeMutableRawPointer, _ arena: MessageArena) {
    member.storeBytes(of: self, as: Self.self)
  }
}

extension Int32: PlainValue {
  package static var wireTypes: [ProtobufCType] {
    [PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32]
  }
}

extension Int64: PlainValue {
  package static var wireTypes: [ProtobufCType] {
    [PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64]
  }
}

extension UInt32: PlainValue {
  package static var wireTypes: [ProtobufCType] {
    [PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32]
  }
}

extension UInt64: PlainValue {
  package static var wireTypes: [ProtobufCType] {
    [PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64]
  }
}

extension Float: PlainValue {
  package static var wireTypes: [ProtobufCType] { [PROTOBUF_C_TYPE_FLOAT] }
}

extension Double: PlainValue {
  package static var wireTypes: [ProtobufCType] { [PROTOBUF_C_TYPE_DOUBLE] }
}

extension Bool: FieldValue {
  package static var fieldDefault: Bool { false }
  package static var wireTypes: [ProtobufCType] { [PROTOBUF_C_TYPE_BOOL] }
  package static var memberByteCount: Int { MemoryLayout<protobuf_c_boolean>.size }

  package static func load(
    from member: UnsafeRawPointer, _ place: FieldPlace
  ) throws(MessageError) -> Bool { member.loadUnaligned(as: protobuf_c_boolean.self) != 0 }

  package func store(to member: UnsafeMutableRawPointer, _ arena: MessageArena) {
    member.storeBytes(of: self ? 1 : 0, as: protobuf_c_boolean.self)
  }
}

extension [UInt8]: FieldValue {
  package static var fieldDefault: [UInt8] { [] }
  package static var wireTypes: [ProtobufCType] { [PROTOBUF_C_TYPE_BYTES] }
  package static var memberByteCount: Int { MemoryLayout<ProtobufCBinaryData>.size }

  package static func load(
    from member: UnsafeRawPointer, _ place: FieldPlace
  ) throws(MessageError) -> [UInt8] {
    let data = member.loadUnaligned(as: ProtobufCBinaryData.self)
    return [UInt8](UnsafeBufferPointer(start: data.data, count: data.data == nil ? 0 : data.len))
  }

  package func store(to member: UnsafeMutableRawPointer, _ arena: MessageArena) {
    let data = ProtobufCBinaryData(len: count, data: arena.copy(self))
    member.storeBytes(of: data, as: ProtobufCBinaryData.self)
  }
}

/// Strings are bytes in the C messages, because a C string would end at their first zero byte.
extension String: FieldValue {
  package static var fieldDefault: String { "" }
  package static var wireTypes: [ProtobufCType] { [PROTOBUF_C_TYPE_BYTES] }
  package static var memberByteCount: Int { [UInt8].memberByteCount }

  package static func load(
    from member: UnsafeRawPointer, _ place: FieldPlace
  ) throws(MessageError) -> String {
    let data = member.loadUnaligned(as: ProtobufCBinaryData.self)
    let bytes = UnsafeBufferPointer(start: data.data, count: data.data == nil ? 0 : data.len)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .notUTF8(message: place.message, field: place.field)
    }
    return text
  }

  package func store(to member: UnsafeMutableRawPointer, _ arena: MessageArena) {
    [UInt8](utf8).store(to: member, arena)
  }
}

/// An enumeration of protobuf: open, so a number that this version does not know is kept.
package protocol OpenEnum: FieldValue, CustomStringConvertible {
  init(rawValue: Int32)
  var rawValue: Int32 { get }
  /// As in the .proto file.
  var wireName: String { get }
  /// All that this version knows.
  static var allCases: [Self] { get }
}

extension OpenEnum {
  package static var fieldDefault: Self { Self(rawValue: 0) }
  package static var wireTypes: [ProtobufCType] { [PROTOBUF_C_TYPE_ENUM] }
  package static var memberByteCount: Int { MemoryLayout<Int32>.size }
  package var description: String { wireName }

  package static func load(
    from member: UnsafeRawPointer, _ place: FieldPlace
  ) throws(MessageError) -> Self { Self(rawValue: member.loadUnaligned(as: Int32.self)) }

  package func store(to member: UnsafeMutableRawPointer, _ arena: MessageArena) {
    member.storeBytes(of: rawValue, as: Int32.self)
  }
}
