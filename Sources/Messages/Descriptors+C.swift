import CProtoMessages

extension FieldKey {
  static let mapKey = FieldKey(1, "key")
  static let mapValue = FieldKey(2, "value")
}

extension UnsafePointer<ProtobufCMessageDescriptor> {
  func field(_ key: FieldKey) -> ProtobufCFieldDescriptor {
    guard let field = protobuf_c_message_descriptor_get_field(self, key.number) else {
      preconditionFailure(
        "field \(key.number) (\(key.name)) is not in the C message: run Proto/generate.sh")
    }
    return field.pointee
  }
}

extension ProtobufCFieldDescriptor {
  var isInOneof: Bool { flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0 }

  var messageDescriptor: UnsafePointer<ProtobufCMessageDescriptor>? {
    descriptor?.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
  }
}
