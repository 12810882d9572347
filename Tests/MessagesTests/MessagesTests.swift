import CProtoMessages
import Messages
import Testing

@Suite struct MessageTests {
  @Test func `every C message has one Swift value, in the same order`() throws {
    #expect(allMessages.count == galleonfs_message_count())
    for (index, type) in allMessages.enumerated() {
      #expect(type.tableIndex == index)
      let descriptor = try #require(galleonfs_message_descriptor(index))
      #expect(String(cString: descriptor.pointee.name) == type.wireName)
    }
  }

  @Test(arguments: allMessages.indices)
  func `a value has exactly the fields of its descriptor, with fitting types`(index: Int) throws {
    let type = allMessages[index]
    let lister = listFields(of: type)
    let descriptor = try #require(galleonfs_message_descriptor(index)).pointee
    let fields = UnsafeBufferPointer(start: descriptor.fields, count: Int(descriptor.n_fields))
    #expect(lister.keys.map(\.number) == fields.map(\.id), "\(type.wireName)")
    #expect(lister.keys.map(\.name) == fields.map { String(cString: $0.name) }, "\(type.wireName)")
    for (field, key) in zip(fields, lister.keys) {
      let (shape, types) = try #require(lister.shapes[key.number])
      #expect(types.contains(field.type), "\(type.wireName).\(key.name)")
      #expect((field.label == PROTOBUF_C_LABEL_REPEATED) == shape.isRepeated)
      let isMessage = field.type == PROTOBUF_C_TYPE_MESSAGE
      let isChoice = field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0
      if !shape.isRepeated { #expect((isMessage || isChoice) == (shape == .optional)) }
    }
  }

  @Test(arguments: allMessages.indices)
  func `random values come back whole, and equal values give equal bytes`(index: Int) throws {
    var generator = SeededGenerator(seed: UInt64(index) + 1)
    for _ in 0..<20 { try roundTrip(allMessages[index], &generator) }
  }

  @Test(arguments: allMessages.indices)
  func `cut or flipped bytes throw or give a value, and never trap`(index: Int) throws {
    var generator = SeededGenerator(seed: UInt64(index) + 1_000)
    for _ in 0..<3 { try mangle(allMessages[index], &generator) }
  }

  @Test func `no bytes are the message with all fields at their defaults`() throws {
    #expect(try CSI.CreateVolumeRequest(serializedBytes: []) == CSI.CreateVolumeRequest())
    #expect(CSI.CreateVolumeRequest().serializedBytes().isEmpty)
  }

  @Test func `the bytes are those of protobuf`() throws {
    let request = CSI.NodeUnpublishVolumeRequest(volumeID: "ab", targetPath: "/t")
    #expect(request.serializedBytes() == [0x0A, 2, 0x61, 0x62, 0x12, 2, 0x2F, 0x74])
    let capability = CSI.PluginCapability(type: .service(.init(type: .controllerService)))
    #expect(capability.serializedBytes() == [0x0A, 2, 0x08, 1])
    let compare = Etcd.Compare(key: [1], targetUnion: .version(0))
    #expect(compare.serializedBytes() == [0x1A, 1, 1, 0x20, 0])
  }

  @Test func `an empty string in a oneof is there`() throws {
    let request = Reflection.ServerReflectionRequest(messageRequest: .listServices(""))
    #expect(request.serializedBytes() == [0x3A, 0])
    #expect(try .init(serializedBytes: request.serializedBytes()) == request)
  }

  @Test func `a zero byte inside a string does not end it`() throws {
    let request = CSI.DeleteVolumeRequest(volumeID: "a\0b")
    #expect(try CSI.DeleteVolumeRequest(serializedBytes: request.serializedBytes()) == request)
  }

  @Test func `a string that is not UTF-8 is refused by the field's name`() throws {
    #expect(throws: MessageError.notUTF8(message: "csi.v1.DeleteVolumeRequest", field: "volume_id"))
    {
      try CSI.DeleteVolumeRequest(serializedBytes: [0x0A, 2, 0xC3, 0x28])
    }
  }

  @Test func `an unknown field is skipped and an unknown enumerator kept`() throws {
    let usage = try CSI.VolumeUsage(serializedBytes: [0x20, 9, 0x78, 1])
    #expect(usage == CSI.VolumeUsage(unit: .unrecognized(9)))
    #expect(usage.serializedBytes() == [0x20, 9])
  }

  @Test func `secrets and mount flags are printed nowhere`() throws {
    let secret = "correct horse"
    let mount = CSI.VolumeCapability.MountVolume(fsType: "ext4", mountFlags: [secret])
    let request = CSI.NodeStageVolumeRequest(
      volumeID: "v", volumeCapability: .init(accessType: .mount(mount)), secrets: ["key": secret])
    var dumped = ""
    dump(request, to: &dumped)
    for text in ["\(request)", String(reflecting: request), "\([request])", dumped] {
      #expect(!text.contains(secret))
      #expect(text.contains("secrets: <redacted>"))
      #expect(text.contains("ext4"))
    }
  }

  @Test func `every field named secrets is marked`() {
    for type in allMessages {
      for key in listFields(of: type).keys where key.name.contains("secret") {
        #expect(key.isSecret, "\(type.wireName)")
      }
    }
  }

  @Test func `methods know their path and whether they stream`() {
    #expect(CSI.NodeService.nodeGetInfo.path == "/csi.v1.Node/NodeGetInfo")
    #expect(Etcd.WatchService.watch.clientStreams && Etcd.WatchService.watch.serverStreams)
    #expect(!CSI.SnapshotMetadataService.getMetadataDelta.clientStreams)
    #expect(CSI.SnapshotMetadataService.getMetadataDelta.serverStreams)
  }

  @Test func `the descriptors for reflection hold every file`() {
    let text = String(decoding: ProtoDescriptors.fileDescriptorSet, as: UTF8.self)
    for name in ["csi/v1/csi.proto", "galleonfs/v1/volumes.proto", "etcd/rpc.proto"] {
      #expect(text.contains(name))
    }
  }
}
