package import StorageModel

/// What changes with every record of a volume; written with each batch of the index.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 2 | format version, 1 |
/// | 2 | 2 | flags, 0 |
/// | 4 | 4 | incarnation |
/// | 8 | 8 | epoch |
/// | 16 | 8 | LSN of the last applied record |
/// | 24 | 8 | journal position of that record's end |
/// | 32 | 8 | current generation |
/// | 40 | 8 | LSN of the record that ended the generation before, 0 in the first |
/// | 48 | 8 | used blocks |
/// | 56 | 8 | frontier's offset: where the next fresh segment space starts |
/// | 64 | 4 | frontier's segment |
/// | 68 | 4 | number of reservations, n |
/// | 72 | 20 n | reservations: segment (4), offset (8), byte count (8) |
package struct VolumeState: Hashable, Sendable {
  package var epoch: Epoch
  package var incarnation: Incarnation
  package var lastLSN: LSN
  package var lastEnd: JournalPosition
  package var generation: Generation
  /// Values whose last LSN is at most this one existed when the last snapshot was taken.
  package var generationStart: LSN
  package var usedBlocks: UInt64
  package var frontier: SegmentLocation
  /// Space before the frontier that no record maps yet: being written, or abandoned by a crash.
  package var reservations: [FreedRange]

  private static let formatVersion: UInt16 = 1

  /// A volume before its first record.
  package init(epoch: Epoch) {
    self.epoch = epoch
    incarnation = Incarnation(0)
    lastLSN = .zero
    lastEnd = .zero
    generation = .first
    generationStart = .zero
    usedBlocks = 0
    frontier = SegmentLocation(segment: 0, offsetBytes: 0)
    reservations = []
  }

  package func encoded() -> [UInt8] {
    var writer = ByteWriter(reservingByteCount: 72 + 20 * reservations.count)
    writer.append(Self.formatVersion)
    writer.append(UInt16(0))
    writer.append(incarnation.rawValue)
    writer.append(epoch.rawValue)
    writer.append(lastLSN.rawValue)
    writer.append(lastEnd.rawValue)
    writer.append(generation.rawValue)
    writer.append(generationStart.rawValue)
    writer.append(usedBlocks)
    writer.append(frontier.offsetBytes)
    writer.append(frontier.segment)
    writer.append(UInt32(truncatingIfNeeded: reservations.count))
    for range in reservations {
      writer.append(range.location.segment)
      writer.append(range.location.offsetBytes)
      writer.append(range.byteCount)
    }
    return writer.bytes
  }

  package static func decode(
    _ bytes: UnsafeRawBufferPointer
  ) throws(Corruption) -> VolumeState {
    var reader = ByteReader(bytes, structure: "volume state")
    try reader.require("format version", try reader.readUInt16(), is: formatVersion)
    try reader.require("flags", try reader.readUInt16(), is: 0)
    let incarnation = Incarnation(try reader.readUInt32())
    var state = VolumeState(epoch: Epoch(try reader.readUInt64()))
    state.incarnation = incarnation
    state.lastLSN = LSN(try reader.readUInt64())
    state.lastEnd = JournalPosition(try reader.readUInt64())
    state.generation = Generation(try reader.readUInt64())
    state.generationStart = LSN(try reader.readUInt64())
    state.usedBlocks = try reader.readUInt64()
    let frontierOffset = try reader.readUInt64()
    state.frontier = SegmentLocation(
      segment: try reader.readUInt32(), offsetBytes: frontierOffset)
    let count = Int(try reader.readUInt32())
    for _ in 0..<count {
      let segment = try reader.readUInt32()
      let offsetBytes = try reader.readUInt64()
      state.reservations.append(
        FreedRange(
          location: SegmentLocation(segment: segment, offsetBytes: offsetBytes),
          byteCount: try reader.readUInt64()))
    }
    try reader.requireEnd()
    return state
  }
}
