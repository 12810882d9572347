import CProtoMessages

/// Fills a C message from a value.
struct FieldWriter: FieldVisitor {
  typealias Failure = Never

  let message: UnsafeMutableRawPointer
  let descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  let arena: MessageArena

  mutating func singular<Value: FieldValue>(_ key: FieldKey, _ value: inout Value) {
    value.store(to: message + Int(descriptor.field(key).offset), arena)
  }

  mutating func optional<Value: FieldValue>(_ key: FieldKey, _ value: inout Value?) {
    guard let value else { return }
    let field = descriptor.field(key)
    if field.isInOneof {
      message.storeBytes(
        of: key.number, toByteOffset: Int(field.quantifier_offset), as: UInt32.self)
    }
    value.store(to: message + Int(field.offset), arena)
  }

  mutating func repeated<Value: FieldValue>(_ key: FieldKey, _ values: inout [Value]) {
    let start = array(key, count: values.count, memberByteCount: Value.memberByteCount)
    for (index, value) in values.enumerated() {
      value.store(to: start + index * Value.memberByteCount, arena)
    }
  }

  mutating func map(_ key: FieldKey, _ values: inout [String: String]) {
    let pointerByteCount = MemoryLayout<UnsafeRawPointer>.size
    guard let entry = descriptor.field(key).messageDescriptor else { return }
    let start = array(key, count: values.count, memberByteCount: pointerByteCount)
    for (index, pair) in values.sorted(by: { $0.key < $1.key }).enumerated() {
      let memory = arena.allocate(byteCount: entry.pointee.sizeof_message)
      protobuf_c_message_init(entry, memory)
      var writer = FieldWriter(message: memory, descriptor: entry, arena: arena)
      var (name, value) = pair
      writer.singular(.mapKey, &name)
      writer.singular(.mapValue, &value)
      (start + index * pointerByteCount).storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    }
  }

  /// Memory for a repeated field's elements, entered in the message with their count.
  private func array(
    _ key: FieldKey, count: Int, memberByteCount: Int
  ) -> UnsafeMutableRawPointer {
    let field = descriptor.field(key)
    let start = arena.allocate(byteCount: count * memberByteCount)
    message.storeBytes(of: start, toByteOffset: Int(field.offset), as: UnsafeMutableRawPointer.self)
    message.storeBytes(of: count, toByteOffset: Int(field.quantifier_offset), as: Int.self)
    return start
  }
}
