/// Names a volume for its whole life; opaque to users.
package struct VolumeID: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let uuid: UUIDValue

  package init(_ uuid: UUIDValue) { self.uuid = uuid }

  package init?(_ text: some StringProtocol) {
    guard let uuid = UUIDValue(text) else { return nil }
    self.uuid = uuid
  }

  package var description: String { uuid.description }

  package static func < (left: VolumeID, right: VolumeID) -> Bool { left.uuid < right.uuid }
}

/// Names a pool: a directory or disk of one node, for as long as it exists.
package struct PoolID: Hashable, Sendable, CustomStringConvertible {
  package let uuid: UUIDValue

  package init(_ uuid: UUIDValue) { self.uuid = uuid }

  package init?(_ text: some StringProtocol) {
    guard let uuid = UUIDValue(text) else { return nil }
    self.uuid = uuid
  }

  package var description: String { uuid.description }
}

/// A record's number in its volume. The first record is 1; 0 is before all records.
package struct LSN: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let rawValue: UInt64

  package static let zero = LSN(0)

  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  package var next: LSN { LSN(rawValue + 1) }
  package var description: String { "\(rawValue)" }

  package static func < (left: LSN, right: LSN) -> Bool { left.rawValue < right.rawValue }
}

/// Number of a volume's configuration: who is primary, who are members. Only ever rises.
package struct Epoch: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let rawValue: UInt64

  package static let first = Epoch(1)

  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  package var next: Epoch { Epoch(rawValue + 1) }
  package var description: String { "\(rawValue)" }

  package static func < (left: Epoch, right: Epoch) -> Bool { left.rawValue < right.rawValue }
}

/// How often a replica has been opened for writing. Together with the epoch it makes an LSN that
/// was lost in a crash and given out again a different nonce.
package struct Incarnation: Hashable, Sendable, Comparable {
  package let rawValue: UInt32

  package init(_ rawValue: UInt32) { self.rawValue = rawValue }

  package var next: Incarnation { Incarnation(rawValue + 1) }

  package static func < (left: Incarnation, right: Incarnation) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// Number of the interval between two snapshots of a volume. The first interval is 1.
package struct Generation: Hashable, Sendable, Comparable {
  package let rawValue: UInt64

  package static let first = Generation(1)

  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  package static func < (left: Generation, right: Generation) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// An address space of blocks inside a volume: a file's data (the object bears the inode's
/// number), or the whole device of a block volume (object 0).
package struct ObjectNumber: Hashable, Sendable, Comparable {
  package let rawValue: UInt64

  package static let device = ObjectNumber(0)

  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  package static func < (left: ObjectNumber, right: ObjectNumber) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// A byte's place in a pool's journal, seen as one endless log. Never reused.
package struct JournalPosition: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let rawValue: UInt64

  package static let zero = JournalPosition(0)

  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  package func advanced(byByteCount count: Int) -> JournalPosition {
    JournalPosition(rawValue + UInt64(count))
  }

  package var description: String { "\(rawValue)" }

  package static func < (left: JournalPosition, right: JournalPosition) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// A byte's place in a volume's segment files.
package struct SegmentLocation: Hashable, Sendable, Comparable {
  package let segment: UInt32
  package let offsetBytes: UInt64

  package init(segment: UInt32, offsetBytes: UInt64) {
    self.segment = segment
    self.offsetBytes = offsetBytes
  }

  package func advanced(byByteCount count: Int) -> SegmentLocation {
    SegmentLocation(segment: segment, offsetBytes: offsetBytes + UInt64(count))
  }

  package static func < (left: SegmentLocation, right: SegmentLocation) -> Bool {
    (left.segment, left.offsetBytes) < (right.segment, right.offsetBytes)
  }
}
