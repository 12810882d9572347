import DiskFormat
import StorageModel

/// The volume's fresh space: handed out in order, never twice.
extension VolumeState {
  /// Bytes after which a new segment file is begun.
  static let segmentByteCount: UInt64 = 256 << 20

  /// Segments that reservations made at the same time can span; more is not credible.
  private static let maximumSegmentGap: UInt32 = 1024

  /// Takes fresh space at the frontier; it is a reservation until a record maps it.
  mutating func reserve(byteCount: UInt64) -> SegmentLocation {
    if frontier.offsetBytes + byteCount > Self.segmentByteCount {
      frontier = SegmentLocation(segment: frontier.segment + 1, offsetBytes: 0)
    }
    let location = frontier
    reservations.append(FreedRange(location: location, byteCount: byteCount))
    frontier = location.advanced(byByteCount: Int(byteCount))
    return location
  }

  /// Whether this range is reserved as a whole.
  func isReserved(_ range: FreedRange) -> Bool {
    reservations.contains { $0.contains(range) }
  }

  /// Ends the reservation of a range that a record maps. In replay the range may lie behind the
  /// frontier: then what lies between was reserved too, by records that may follow.
  mutating func consume(_ range: FreedRange) {
    if let position = reservations.firstIndex(where: { $0.contains(range) }) {
      let rest = reservations[position].removing(range)
      reservations.replaceSubrange(position...position, with: rest)
      return
    }
    guard range.location >= frontier else { return }
    if range.location.segment == frontier.segment {
      addGap(frontier, upTo: range.location.offsetBytes)
    } else if range.location.segment - frontier.segment <= Self.maximumSegmentGap {
      addGap(frontier, upTo: Self.segmentByteCount)
      for segment in (frontier.segment + 1)..<range.location.segment {
        addGap(SegmentLocation(segment: segment, offsetBytes: 0), upTo: Self.segmentByteCount)
      }
      addGap(
        SegmentLocation(segment: range.location.segment, offsetBytes: 0),
        upTo: range.location.offsetBytes)
    }
    frontier = range.end
  }

  private mutating func addGap(_ start: SegmentLocation, upTo endOffset: UInt64) {
    guard endOffset > start.offsetBytes else { return }
    reservations.append(
      FreedRange(location: start, byteCount: endOffset - start.offsetBytes))
  }
}

extension FreedRange {
  var end: SegmentLocation {
    SegmentLocation(
      segment: location.segment, offsetBytes: location.offsetBytes + byteCount)
  }

  func contains(_ other: FreedRange) -> Bool {
    location.segment == other.location.segment
      && location.offsetBytes <= other.location.offsetBytes
      && other.location.offsetBytes &+ other.byteCount <= location.offsetBytes &+ byteCount
  }

  /// What is left without `other`, which lies inside.
  func removing(_ other: FreedRange) -> [FreedRange] {
    let before = FreedRange(
      location: location,
      byteCount: other.location.offsetBytes - location.offsetBytes)
    let after = FreedRange(
      location: other.end, byteCount: end.offsetBytes - other.end.offsetBytes)
    return [before, after].filter { $0.byteCount > 0 }
  }
}
