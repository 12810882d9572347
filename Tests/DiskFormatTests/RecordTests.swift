import DiskFormat
import StorageModel
import Testing

struct RecordTests {
  /// A record with an entry of every kind.
  private static var payload: [UInt8] {
    var writer = RecordWriter(tagByteCount: 8, blockSize: .standard)
    let tag = writer.put(StoreKey([1, 2]), valueByteCount: 3, sealPosition: 4)
    writer.withPayload { payload in
      for index in 0..<11 { payload[tag + index] = UInt8(index) }
    }
    writer.delete(StoreKey([3]))
    let tags = writer.blocks(ObjectNumber(5), BlockNumber(6), blockCount: 1, sealPosition: 7)
    writer.withPayload { payload in
      for index in 0..<8 { payload[tags + index] = 0xBB }
      payload[tags + 8] = 0xDA
    }
    writer.map(
      ObjectNumber(8), BlockNumber(9),
      PreparedExtent(
        location: SegmentLocation(segment: 2, offsetBytes: 8192), blockCount: 2,
        sealLSN: LSN(1 << 63), incarnation: Incarnation(3), epoch: Epoch(1),
        tags: [UInt8](repeating: 0xEE, count: 16)))
    writer.free(
      BlockRange(object: ObjectNumber(10), firstBlock: BlockNumber(11), blockCount: 12))
    writer.allocate(
      BlockRange(object: ObjectNumber(13), firstBlock: BlockNumber(14), blockCount: 15))
    writer.created(testDescription)
    writer.capacityChanged(toBytes: 1 << 31)
    writer.opened()
    writer.generationEnded(Generation(3))
    writer.dropped()
    return writer.withPayload { Array($0) }
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws {
    var reader = try RecordReader(bytes)
    while try reader.next() != nil {}
  }

  @Test func `entries of every kind are read back in order`() throws {
    let payload = Self.payload
    try payload.withUnsafeBytes { bytes in
      var reader = try RecordReader(bytes)
      var seen: [String] = []
      while let entry = try reader.next() { seen.append(Self.text(of: entry, bytes)) }
      #expect(
        seen == [
          "put [1, 2] 4 [0, 1, 2, 3, 4, 5, 6, 7] [8, 9, 10]", "delete [3]",
          "blocks 5 6 1 7 [187, 187, 187, 187, 187, 187, 187, 187] 218", "map 8 9 2 8192 2",
          "free 10 11 12", "allocate 13 14 15", "created data", "capacity 2147483648", "opened",
          "generation 3", "dropped",
        ])
    }
  }

  private static func text(of entry: RecordEntry, _ bytes: UnsafeRawBufferPointer) -> String {
    switch entry {
    case .put(let key, let position, let tag, let sealed):
      "put \(key.bytes) \(position) \(Array(tag)) \(Array(sealed))"
    case .delete(let key): "delete \(key.bytes)"
    case .blocks(let blocks):
      "blocks \(blocks.object.rawValue) \(blocks.firstBlock) \(blocks.blockCount) "
        + "\(blocks.sealPosition) \(Array(blocks.tags)) \(bytes[blocks.dataOffset])"
    case .map(let object, let first, let extent):
      "map \(object.rawValue) \(first) \(extent.location.segment) "
        + "\(extent.location.offsetBytes) \(extent.blockCount)"
    case .free(let range):
      "free \(range.object.rawValue) \(range.firstBlock) \(range.blockCount)"
    case .allocate(let range):
      "allocate \(range.object.rawValue) \(range.firstBlock) \(range.blockCount)"
    case .created(let description): "created \(description.specification.name)"
    case .capacityChanged(let bytes): "capacity \(bytes)"
    case .opened: "opened"
    case .generationEnded(let generation): "generation \(generation.rawValue)"
    case .dropped: "dropped"
    }
  }

  @Test func `format version 1 of a record never changes`() {
    let payload = Self.payload
    #expect(payload.count == 4507)
    #expect(
      hex(Array(payload[..<90]))
        == "010000000b000000080c000000000000010002000300000004000000010200010203040506070809"
        + "0a02000100000000000303000000010000000500000000000000060000000000000007000000bbbb"
        + "bbbbbbbbbbbbda000000")
    #expect(payload.withUnsafeBytes { testChecksum($0) } == 16_345_405_117_941_759_531)
  }

  @Test func `a record that is cut short is refused, a flipped byte never traps`() {
    let payload = Self.payload
    var accepted: [Int] = []
    for count in Array(0..<120) + Array(4200..<payload.count) {
      let isRead = (try? Array(payload[..<count]).withUnsafeBytes(Self.decode)) != nil
      if isRead { accepted.append(count) }
    }
    #expect(accepted == [])
    for index in Array(0..<120) + Array(4200..<payload.count) {
      for mask in [0x01, 0x80, 0xFF] as [UInt8] {
        var flipped = payload
        flipped[index] ^= mask
        _ = try? flipped.withUnsafeBytes(Self.decode)
      }
    }
  }

  @Test func `a reserved flag of an entry is refused`() {
    var writer = RecordWriter(tagByteCount: 8, blockSize: .standard)
    writer.opened()
    var payload = writer.withPayload { Array($0) }
    payload[17] = 1
    #expect(throws: Corruption.self) { try payload.withUnsafeBytes(Self.decode) }
  }

  @Test func `blocks behind the end of the address space are refused`() {
    var writer = RecordWriter(tagByteCount: 8, blockSize: .standard)
    writer.free(
      BlockRange(
        object: .device, firstBlock: BlockNumber(.max - 1), blockCount: 4))
    let payload = writer.withPayload { Array($0) }
    #expect(throws: Corruption.self) { try payload.withUnsafeBytes(Self.decode) }
  }

  @Test func `drops and creations are recognised by their first entry`() throws {
    var writer = RecordWriter(tagByteCount: 8, blockSize: .standard)
    writer.dropped()
    let drop = writer.withPayload { Array($0) }
    #expect(try drop.withUnsafeBytes { try RecordPayload.isDrop($0) })
    #expect(try drop.withUnsafeBytes { try RecordPayload.created($0) } == nil)
    writer.start()
    writer.created(testDescription)
    let created = writer.withPayload { Array($0) }
    #expect(try !created.withUnsafeBytes { try RecordPayload.isDrop($0) })
    #expect(try created.withUnsafeBytes { try RecordPayload.created($0) } == testDescription)
  }
}
