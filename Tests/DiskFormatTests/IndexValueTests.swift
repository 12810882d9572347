import DiskFormat
import StorageModel
import Testing

struct ChunkTests {
  private static let tagByteCount = 8

  /// A chunk with a run of each kind.
  private static var chunk: Chunk {
    var chunk = Chunk(bornGeneration: Generation(2), tagByteCount: tagByteCount)
    let old = SealStamp(epoch: Epoch(1), incarnation: Incarnation(4), lsn: LSN(9), position: 1)
    let new = SealStamp(
      epoch: Epoch(1), incarnation: Incarnation(5), lsn: LSN(1 << 63), position: 0)
    chunk.runs = [
      ChunkRun(
        first: 0, count: 2, place: .journal(JournalPosition(0x1234)), seal: old,
        lastLSN: LSN(9)),
      ChunkRun(
        first: 5, count: 1,
        place: .segment(SegmentLocation(segment: 3, offsetBytes: 8192)), seal: new,
        lastLSN: LSN(11)),
      ChunkRun(first: 60, count: 4, place: .allocated, seal: old, lastLSN: LSN(10)),
    ]
    for (index, value) in [(0, 0xA0), (1, 0xA1), (5, 0xA5)] as [(Int, UInt8)] {
      [UInt8](repeating: value, count: tagByteCount).withUnsafeBytes {
        chunk.setTags($0, at: index)
      }
    }
    return chunk
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws {
    _ = try Chunk.decode(bytes, tagByteCount: tagByteCount)
  }

  @Test func `a chunk survives the way to disk and back`() throws {
    let bytes = Self.chunk.encoded(recordPayload: .zero)
    #expect(
      try bytes.withUnsafeBytes { try Chunk.decode($0, tagByteCount: 8) } == Self.chunk)
  }

  @Test func `format version 1 of a chunk never changes`() {
    #expect(
      hex(Self.chunk.encoded(recordPayload: .zero))
        == "01080302000000000200000000000000010000000000000004000000010000000000000005000000"
        + "00020100010000003412000000000000090000000000000009000000000000000501020100000000"
        + "020000000300000000000000000000800b000000000000003c040300010000000000000000000000"
        + "09000000000000000a00000000000000a0a0a0a0a0a0a0a0a1a1a1a1a1a1a1a1a5a5a5a5a5a5a5a5")
  }

  @Test func `a run in the record being made gets the record's position`() throws {
    var chunk = Chunk(bornGeneration: .first, tagByteCount: 8)
    let seal = SealStamp(epoch: .first, incarnation: Incarnation(1), lsn: LSN(1), position: 0)
    chunk.runs = [
      ChunkRun(
        first: 7, count: 1, place: .record(offsetBytes: 100), seal: seal, lastLSN: LSN(1))
    ]
    let bytes = chunk.encoded(recordPayload: JournalPosition(4000))
    let decoded = try bytes.withUnsafeBytes { try Chunk.decode($0, tagByteCount: 8) }
    #expect(decoded.runs.first?.place == .journal(JournalPosition(4100)))
  }

  @Test func `a chunk that is cut short is refused, a flipped byte never traps`() {
    let bytes = Self.chunk.encoded(recordPayload: .zero)
    #expect(acceptedTruncations(of: bytes, Self.decode) == [])
    // Versions, counts, kinds and bounds are checked; places and tags are the sealer's to check.
    let checked = Set(0..<8)
    #expect(checked.isDisjoint(with: acceptedFlips(of: bytes, Self.decode)))
  }

  @Test(arguments: [(0..<2, 0, 2), (1..<2, 1, 1), (0..<64, 0, 2)])
  func `a part of a run keeps its place and seal`(
    range: Range<Int>, skipped: Int, count: Int
  ) {
    let part = Self.chunk.runs[0].part(range, blockByteCount: 4096)
    #expect(part.first == skipped)
    #expect(part.count == count)
    #expect(part.place == .journal(JournalPosition(0x1234 + UInt64(skipped) * 4096)))
    #expect(part.seal.position == 1 + UInt32(skipped))
  }
}

struct HeadValueTests {
  private let bytes: [UInt8] = [UInt8](1...8).withUnsafeBytes { tag in
    [UInt8]([0xCA, 0xFE]).withUnsafeBytes { sealed in
      HeadValue(
        bornGeneration: Generation(3),
        seal: SealStamp(
          epoch: Epoch(2), incarnation: Incarnation(6), lsn: LSN(77), position: 5),
        tag: tag, sealedBytes: sealed
      ).encoded()
    }
  }

  @Test func `a head value survives the way to disk and back`() throws {
    try bytes.withUnsafeBytes { raw in
      let value = try HeadValue.decode(raw, tagByteCount: 8)
      #expect(value.bornGeneration == Generation(3))
      #expect(value.seal.lsn == LSN(77))
      #expect(value.seal.position == 5)
      #expect(Array(value.sealedBytes) == [0xCA, 0xFE])
    }
  }

  @Test func `format version 1 of a head value never changes`() {
    #expect(
      hex(bytes)
        == "0108000006000000030000000000000002000000000000004d000000000000000500000001020304"
        + "05060708cafe")
  }

  @Test func `a head value without its header or tag is refused`() {
    let accepted = acceptedTruncations(of: bytes) {
      _ = try HeadValue.decode($0, tagByteCount: 8)
    }
    #expect(accepted == [44, 45])
  }
}

struct VolumeStateTests {
  private var state: VolumeState {
    var state = VolumeState(epoch: Epoch(4))
    state.incarnation = Incarnation(9)
    state.lastLSN = LSN(1000)
    state.lastEnd = JournalPosition(65536)
    state.generation = Generation(2)
    state.generationStart = LSN(500)
    state.usedBlocks = 77
    state.frontier = SegmentLocation(segment: 1, offsetBytes: 40960)
    state.reservations = [
      FreedRange(location: SegmentLocation(segment: 1, offsetBytes: 4096), byteCount: 8192)
    ]
    return state
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws {
    _ = try VolumeState.decode(bytes)
  }

  @Test func `a state survives the way to disk and back`() throws {
    #expect(try state.encoded().withUnsafeBytes { try VolumeState.decode($0) } == state)
  }

  @Test func `format version 1 of a state never changes`() {
    #expect(
      hex(state.encoded())
        == "01000000090000000400000000000000e80300000000000000000100000000000200000000000000"
        + "f4010000000000004d0000000000000000a000000000000001000000010000000100000000100000"
        + "000000000020000000000000")
  }

  @Test func `a state that is cut short is refused, a flipped byte never traps`() {
    #expect(acceptedTruncations(of: state.encoded(), Self.decode) == [])
    #expect(Set(0..<4).isDisjoint(with: acceptedFlips(of: state.encoded(), Self.decode)))
  }
}

struct ReplicaDescriptionTests {
  @Test func `a description survives the way to disk and back`() throws {
    let description = testDescription
    let bytes = description.encoded()
    #expect(try bytes.withUnsafeBytes { try ReplicaDescription.decode($0) } == description)
  }

  @Test func `format version 1 of a description never changes`() {
    #expect(
      hex(testDescription.encoded())
        == "010000000010000000112233445566778899aabbccddeeff000000400000000000f1536500000000"
        + "030000000400646174610a0070657273697374656e740a0066696c6553797374656d0b004145532d"
        + "3235362d47434d1100656e637279707465642d73746f726167650b0073796e6368726f6e6f757307"
        + "0064757261626c650300090807")
  }

  @Test func `a description that is cut short is refused, a flipped byte never traps`() {
    let bytes = testDescription.encoded()
    let decode: (UnsafeRawBufferPointer) throws -> Void = {
      _ = try ReplicaDescription.decode($0)
    }
    #expect(acceptedTruncations(of: bytes, decode) == [])
    #expect(Set(0..<8).isDisjoint(with: acceptedFlips(of: bytes, decode)))
  }
}

struct IndexKeyTests {
  private let keys = IndexKey(testVolume)

  @Test func `format version 1 of the keys never changes`() {
    let volume = "00112233445566778899aabbccddeeff"
    #expect(hex(keys.state) == volume + "10")
    #expect(hex(keys.head(StoreKey([1, 0, 2]))) == volume + "20010002")
    #expect(
      hex(keys.headChunk(ObjectNumber(5), ChunkNumber(6))) == volume
        + "3000000000000000050000000000000006")
    #expect(
      hex(keys.history(StoreKey([1, 0, 2]), through: Generation(7))) == volume
        + "400100ff0200000000000000000007")
    #expect(
      hex(keys.historyChunk(ObjectNumber(5), ChunkNumber(6), through: Generation(7)))
        == volume + "50000000000000000500000000000000060000000000000007")
    #expect(
      hex(keys.pendingFree(SegmentLocation(segment: 8, offsetBytes: 4096))) == volume
        + "60000000080000000000001000")
    #expect(
      hex(CatalogueKey.key(testVolume)) == "0000000000000000000000000000000001" + volume)
  }

  @Test func `keys are read back`() throws {
    let head = keys.head(StoreKey([1, 0, 2]))
    #expect(try head.withUnsafeBytes { try IndexKey.storeKey($0) } == StoreKey([1, 0, 2]))
    let chunk = keys.headChunk(ObjectNumber(5), ChunkNumber(6))
    let (object, number) = try chunk.withUnsafeBytes { try IndexKey.chunk($0) }
    #expect(object == ObjectNumber(5))
    #expect(number == ChunkNumber(6))
    let range = FreedRange(
      location: SegmentLocation(segment: 8, offsetBytes: 4096), byteCount: 12288)
    let decoded = try keys.pendingFree(range.location).withUnsafeBytes { key in
      try range.encodedByteCount.withUnsafeBytes { try FreedRange.decode(key: key, value: $0) }
    }
    #expect(decoded == range)
  }

  @Test func `a key of another space or a wrong length is refused`() {
    for bytes in [keys.state, Array(keys.headChunk(ObjectNumber(5), ChunkNumber(6)).dropLast())] {
      #expect(throws: Corruption.self) { try bytes.withUnsafeBytes { _ = try IndexKey.chunk($0) } }
    }
  }

  @Test func `history keys sort by key, then by generation`() {
    let ordered = [
      keys.history(StoreKey([1]), through: Generation(1)),
      keys.history(StoreKey([1]), through: Generation(.max)),
      keys.history(StoreKey([1, 0]), through: Generation(1)),
      keys.history(StoreKey([1, 0, 0]), through: Generation(1)),
      keys.history(StoreKey([1, 0, 1]), through: Generation(1)),
      keys.history(StoreKey([1, 1]), through: Generation(1)),
    ]
    for (lower, upper) in zip(ordered, ordered.dropFirst()) {
      #expect(lower.lexicographicallyPrecedes(upper))
    }
  }

  @Test func `every space lies inside its volume's bounds`() {
    for space in IndexKey.Space.allCases {
      #expect(keys.lowerBound.lexicographicallyPrecedes(keys.lowerBound(space)))
      #expect(keys.upperBound(space).lexicographicallyPrecedes(keys.upperBound))
    }
  }
}

let testDescription = ReplicaDescription(
  specification: VolumeSpecification(
    id: testVolume, name: "data", capacityBytes: 1 << 30, blockSize: .standard,
    type: .persistent, content: .fileSystem, encryption: .aes256GCM, replicaCount: 3,
    storageClassName: "encrypted-storage", strategy: .synchronous, writeConcern: .durable),
  wrappedKey: [9, 8, 7], createdSeconds: 1_700_000_000)
