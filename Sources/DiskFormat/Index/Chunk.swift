package import StorageModel

/// The value of a chunk in the index: which of its 64 blocks exist, where, and their tags.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 1 | format version, 1 |
/// | 1 | 1 | tag byte count, t |
/// | 2 | 1 | number of runs, r: 1 … 64 |
/// | 3 | 1 | number of origins, o |
/// | 4 | 4 | reserved, 0 |
/// | 8 | 8 | generation that it was born in |
/// | 16 | 12 o | origins: epoch (8), incarnation (4) |
/// | 16 + 12 o | 32 r | runs, ascending |
/// | … | … | t bytes for each block of each run that has data, in order |
///
/// | offset in run | size | field |
/// |---|---|---|
/// | 0 | 1 | index of the first block |
/// | 1 | 1 | number of blocks |
/// | 2 | 1 | kind: 1 journal, 2 segment, 3 allocated |
/// | 3 | 1 | which origin |
/// | 4 | 4 | seal position of the first block |
/// | 8 | 8 | journal: position; segment: segment << 32 \| offset / 4096 |
/// | 16 | 8 | seal LSN |
/// | 24 | 8 | LSN of the record that last changed the blocks |
package struct Chunk: Hashable, Sendable {
  package var bornGeneration: Generation
  /// Ascending, not overlapping.
  package var runs: [ChunkRun]
  package let tagByteCount: Int
  /// 64 slots of `tagByteCount` bytes; those of blocks without data mean nothing.
  package var tags: [UInt8]

  private static let formatVersion: UInt8 = 1
  private static let headerByteCount = 16
  private static let originByteCount = 12
  private static let runByteCount = 32
  /// Segment offsets are stored in this unit; every block size is a multiple of it.
  private static let offsetUnitByteCount: UInt64 = 4096

  /// A chunk without blocks.
  package init(bornGeneration: Generation, tagByteCount: Int) {
    self.bornGeneration = bornGeneration
    self.runs = []
    self.tagByteCount = tagByteCount
    self.tags = [UInt8](repeating: 0, count: tagByteCount * ChunkNumber.blockCount)
  }

  /// Blocks that occupy space, allocated ones included.
  package var occupiedBlocks: Int { runs.reduce(0) { $0 + $1.count } }
}

extension Chunk {
  private enum Kind: UInt8 {
    case journal = 1
    case segment = 2
    case allocated = 3
  }

  private struct Origin {
    var epoch: UInt64
    var incarnation: UInt32

    init(epoch: UInt64, incarnation: UInt32) {
      self.epoch = epoch
      self.incarnation = incarnation
    }

    init(_ seal: SealStamp) {
      epoch = seal.epoch.rawValue
      incarnation = seal.incarnation.rawValue
    }

    func isSame(as other: Origin) -> Bool {
      epoch == other.epoch && incarnation == other.incarnation
    }
  }

  /// The stored form; runs that lie in the record being made get their position from
  /// `recordPayload`, where that record's payload starts.
  package func encoded(recordPayload: JournalPosition) -> [UInt8] {
    var origins: [Origin] = []
    for run in runs {
      let origin = Origin(run.seal)
      if !origins.contains(where: { $0.isSame(as: origin) }) { origins.append(origin) }
    }
    var writer = ByteWriter(
      reservingByteCount: Self.headerByteCount + Self.originByteCount * origins.count
        + runs.count * Self.runByteCount + tags.count)
    writer.append(Self.formatVersion)
    writer.append(UInt8(truncatingIfNeeded: tagByteCount))
    writer.append(UInt8(truncatingIfNeeded: runs.count))
    writer.append(UInt8(truncatingIfNeeded: origins.count))
    writer.append(UInt32(0))
    writer.append(bornGeneration.rawValue)
    for origin in origins {
      writer.append(origin.epoch)
      writer.append(origin.incarnation)
    }
    for run in runs { append(run, origins, recordPayload, to: &writer) }
    tags.withUnsafeBytes { tags in
      for run in runs where run.hasData {
        writer.append(
          contentsOf: UnsafeRawBufferPointer(
            rebasing: tags[run.first * tagByteCount..<run.end * tagByteCount]))
      }
    }
    return writer.bytes
  }

  private func append(
    _ run: ChunkRun, _ origins: [Origin], _ recordPayload: JournalPosition,
    to writer: inout ByteWriter
  ) {
    let kind: Kind
    let place: UInt64
    switch run.place {
    case .journal(let position): (kind, place) = (.journal, position.rawValue)
    case .record(let offsetBytes):
      (kind, place) = (.journal, recordPayload.advanced(byByteCount: offsetBytes).rawValue)
    case .segment(let location):
      kind = .segment
      place = UInt64(location.segment) << 32 | location.offsetBytes / Self.offsetUnitByteCount
    case .allocated: (kind, place) = (.allocated, 0)
    }
    let origin = Origin(run.seal)
    let originIndex = origins.firstIndex { $0.isSame(as: origin) } ?? 0
    writer.append(
      UInt64(run.first) | UInt64(run.count) << 8 | UInt64(kind.rawValue) << 16
        | UInt64(originIndex) << 24 | UInt64(run.seal.position) << 32,
      place, run.seal.lsn.rawValue, run.lastLSN.rawValue)
  }

  package static func decode(
    _ bytes: UnsafeRawBufferPointer, tagByteCount: Int
  ) throws(Corruption) -> Chunk {
    var reader = ByteReader(bytes, structure: "chunk")
    try reader.require("format version", try reader.readUInt8(), is: formatVersion)
    try reader.require("tag byte count", Int(try reader.readUInt8()), is: tagByteCount)
    let runCount = Int(try reader.readUInt8())
    let originCount = Int(try reader.readUInt8())
    try reader.require("reserved field", try reader.readUInt32(), is: 0)
    var chunk = Chunk(
      bornGeneration: Generation(try reader.readUInt64()), tagByteCount: tagByteCount)
    var origins: [Origin] = []
    for _ in 0..<originCount {
      origins.append(
        Origin(epoch: try reader.readUInt64(), incarnation: try reader.readUInt32()))
    }
    try chunk.decodeRuns(runCount, origins, &reader)
    try chunk.decodeTags(&reader)
    try reader.requireEnd()
    return chunk
  }

  private mutating func decodeRuns(
    _ runCount: Int, _ origins: [Origin], _ reader: inout ByteReader
  ) throws(Corruption) {
    runs.reserveCapacity(runCount + 2)
    var end = 0
    for _ in 0..<runCount {
      let run = try Self.decodeRun(origins, &reader)
      guard run.first >= end, run.count > 0, run.end <= ChunkNumber.blockCount else {
        throw reader.corruption(
          expected: "a run within blocks \(end) ..< 64", found: "\(run.first) ..< \(run.end)")
      }
      end = run.end
      runs.append(run)
    }
  }

  private static func decodeRun(
    _ origins: [Origin], _ reader: inout ByteReader
  ) throws(Corruption) -> ChunkRun {
    let (head, rawPlace, sealLSN, lastLSN) = try reader.readFourUInt64()
    let rawKind = UInt8(truncatingIfNeeded: head >> 16)
    let originIndex = Int(head >> 24 & 0xFF)
    guard let kind = Kind(rawValue: rawKind), origins.indices.contains(originIndex) else {
      throw reader.corruption(
        expected: "kind 1 ... 3 and origin below \(origins.count)",
        found: "kind \(rawKind) and origin \(originIndex)")
    }
    let place: BlockPlace =
      switch kind {
      case .journal: .journal(JournalPosition(rawPlace))
      case .segment:
        .segment(
          SegmentLocation(
            segment: UInt32(truncatingIfNeeded: rawPlace >> 32),
            offsetBytes: (rawPlace & 0xFFFF_FFFF) * offsetUnitByteCount))
      case .allocated: .allocated
      }
    let origin = origins[originIndex]
    return ChunkRun(
      first: Int(head & 0xFF), count: Int(head >> 8 & 0xFF), place: place,
      seal: SealStamp(
        epoch: Epoch(origin.epoch), incarnation: Incarnation(origin.incarnation),
        lsn: LSN(sealLSN), position: UInt32(truncatingIfNeeded: head >> 32)),
      lastLSN: LSN(lastLSN))
  }

  private mutating func decodeTags(_ reader: inout ByteReader) throws(Corruption) {
    for run in runs where run.hasData {
      let source = try reader.readBytes(run.count * tagByteCount)
      setTags(source, at: run.first)
    }
  }

  /// Copies the tags of consecutive blocks, the first of them `index`.
  package mutating func setTags(_ source: UnsafeRawBufferPointer, at index: Int) {
    let start = index * tagByteCount
    tags.withUnsafeMutableBytes {
      UnsafeMutableRawBufferPointer(rebasing: $0[start..<start + source.count])
        .copyMemory(from: source)
    }
  }
}
