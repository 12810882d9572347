import CProtoMessages

/// Fills a value from a C message.
struct FieldReader: FieldVisitor {
  typealias Failure = MessageError

  let message: UnsafeRawPointer
  let descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  let name: String

  mutating func singular<Value: FieldValue>(
    _ key: FieldKey, _ value: inout Value
  ) throws(MessageError) {
    let field = descriptor.field(key)
    value = try Value.load(from: message + Int(field.offset), place(key))
  }

  mutating func optional<Value: FieldValue>(
    _ key: FieldKey, _ value: inout Value?
  ) throws(MessageError) {
    let field = descriptor.field(key)
    let member = message + Int(field.offset)
    let isPresent =
      if field.isInOneof {
        message.loadUnaligned(fromByteOffset: Int(field.quantifier_offset), as: UInt32.self)
          == key.number
      } else {
        member.loadUnaligned(as: UnsafeRawPointer?.self) != nil
      }
    value = isPresent ? try Value.load(from: member, place(key)) : nil
  }

  mutating func repeated<Value: FieldValue>(
    _ key: FieldKey, _ values: inout [Value]
  ) throws(MessageError) {
    let (start, count) = elements(key)
    values.removeAll()
    values.reserveCapacity(count)
    guard let start else { return }
    for index in 0..<count {
      values.append(try Value.load(from: start + index * Value.memberByteCount, place(key)))
    }
  }

  mutating func map(_ key: FieldKey, _ values: inout [String: String]) throws(MessageError) {
    let (start, count) = elements(key)
    values.removeAll()
    guard let start, let entry = descriptor.field(key).messageDescriptor else { return }
    for index in 0..<count {
      let member = start + index * MemoryLayout<UnsafeRawPointer>.size
      guard let message = member.loadUnaligned(as: UnsafeRawPointer?.self) else { continue }
      var reader = FieldReader(message: message, descriptor: entry, name: "\(name).\(key.name)")
      var name = ""
      var value = ""
      try reader.singular(.mapKey, &name)
      try reader.singular(.mapValue, &value)
      values[name] = value
    }
  }

  private func elements(_ key: FieldKey) -> (start: UnsafeRawPointer?, count: Int) {
    let field = descriptor.field(key)
    return (
      message.loadUnaligned(fromByteOffset: Int(field.offset), as: UnsafeRawPointer?.self),
      message.loadUnaligned(fromByteOffset: Int(field.quantifier_offset), as: Int.self)
    )
  }

  private func place(_ key: FieldKey) -> FieldPlace {
    FieldPlace(message: name, field: key.name)
  }
}
