package import CProtoMessages

extension Message {
  /// Decodes; what `bytes` holds beyond the known fields is dropped.
  ///
  /// Any bytes are allowed: those that are not this message throw.
  package init(serializedBytes bytes: [UInt8]) throws(MessageError) {
    let unpacked = bytes.withUnsafeBufferPointer {
      protobuf_c_message_unpack(Self.descriptor, nil, $0.count, $0.baseAddress)
    }
    guard let unpacked else {
      throw .malformed(message: Self.wireName, byteCount: bytes.count)
    }
    defer { protobuf_c_message_free_unpacked(unpacked, nil) }
    self = try Self.read(UnsafeRawPointer(unpacked))
  }

  /// Encodes, in order of the fields' numbers, entries of maps by their keys: equal values give
  /// equal bytes.
  package func serializedBytes() -> [UInt8] {
    let arena = MessageArena()
    let message = written(arena).assumingMemoryBound(to: ProtobufCMessage.self)
    let byteCount = protobuf_c_message_get_packed_size(message)
    return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      if let start = buffer.baseAddress, byteCount > 0 {
        count = protobuf_c_message_pack(message, start)
      }
    }
  }

  /// The descriptor by which protobuf-c reads and writes the message.
  package static var descriptor: UnsafePointer<ProtobufCMessageDescriptor> {
    guard let descriptor = galleonfs_message_descriptor(tableIndex) else {
      preconditionFailure("\(wireName) has no descriptor: run Proto/generate.sh")
    }
    return descriptor
  }

  fileprivate static func read(_ message: UnsafeRawPointer) throws(MessageError) -> Self {
    var value = Self()
    var reader = FieldReader(message: message, descriptor: descriptor, name: wireName)
    try value.visit(&reader)
    return value
  }

  /// The C message, in memory of the arena.
  fileprivate func written(_ arena: MessageArena) -> UnsafeMutableRawPointer {
    let message = arena.allocate(byteCount: Self.descriptor.pointee.sizeof_message)
    protobuf_c_message_init(Self.descriptor, message)
    var writer = FieldWriter(message: message, descriptor: Self.descriptor, arena: arena)
    var value = self
    value.visit(&writer)
    return message
  }
}

extension Message {
  package static var fieldDefault: Self { Self() }
  package static var wireTypes: [ProtobufCType] { [PROTOBUF_C_TYPE_MESSAGE] }
  package static var memberByteCount: Int { MemoryLayout<UnsafeRawPointer>.size }

  package static func load(
    from member: UnsafeRawPointer, _ place: FieldPlace
  ) throws(MessageError) -> Self {
    guard let message = member.loadUnaligned(as: UnsafeRawPointer?.self) else { return Self() }
    return try read(message)
  }

  package func store(to member: UnsafeMutableRawPointer, _ arena: MessageArena) {
    member.storeBytes(of: written(arena), as: UnsafeMutableRawPointer.self)
  }
}
