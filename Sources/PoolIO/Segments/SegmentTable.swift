internal import StorageModel

/// Names one segment file of a pool.
struct SegmentName: Hashable {
  let volume: VolumeID
  let segment: UInt32
}

/// A segment file that is open.
final class OpenSegment: Sendable {
  let name: SegmentName
  let file: OpenFile

  init(name: SegmentName, file: OpenFile) {
    self.name = name
    self.file = file
  }
}

/// Which segment files are open, being written, and not yet synced.
struct SegmentTable {
  private struct Entry {
    var segment: OpenSegment
    var lastUse: UInt64
  }

  struct Dirty {
    var segments: [OpenSegment]
    var volumes: Set<VolumeID>
  }

  private let maximumOpenCount: Int
  private var entries: [SegmentName: Entry] = [:]
  private var useCount: UInt64 = 0
  /// How many threads write to a file now: such a file is not removed.
  private(set) var writerCounts: [SegmentName: Int] = [:]
  /// Written since the last sync; the sync needs this very open file, for the kernel tells an
  /// error of write-back once to each.
  private(set) var dirty: [SegmentName: OpenSegment] = [:]
  /// Volumes whose directories got new names since the last sync.
  private(set) var volumesWithNewFiles: Set<VolumeID> = []
  private(set) var highestSegments: [VolumeID: UInt32] = [:]

  init(maximumOpenCount: Int) { self.maximumOpenCount = maximumOpenCount }

  mutating func open(_ name: SegmentName) -> OpenSegment? {
    if let segment = dirty[name] { return segment }
    guard let segment = entries[name]?.segment else { return nil }
    useCount += 1
    entries[name]?.lastUse = useCount
    return segment
  }

  /// Adds an opened file; if another thread was faster, its file is returned instead.
  mutating func add(_ segment: OpenSegment) -> OpenSegment {
    if let present = open(segment.name) { return present }
    useCount += 1
    entries[segment.name] = Entry(segment: segment, lastUse: useCount)
    if entries.count > maximumOpenCount {
      // A quarter at once, so that the search for the oldest is paid rarely.
      let oldest = entries.sorted { $0.value.lastUse < $1.value.lastUse }
      for (name, _) in oldest.prefix(maximumOpenCount / 4) { entries[name] = nil }
    }
    return segment
  }

  mutating func noteHighest(_ segment: UInt32, of volume: VolumeID) {
    highestSegments[volume] = max(segment, highestSegments[volume] ?? 0)
  }

  mutating func noteNewFile(of volume: VolumeID) { volumesWithNewFiles.insert(volume) }

  mutating func beginWrite(_ name: SegmentName) { writerCounts[name, default: 0] += 1 }

  mutating func endWrite(_ segment: OpenSegment) {
    dirty[segment.name] = segment
    let count = writerCounts[segment.name, default: 1] - 1
    writerCounts[segment.name] = count > 0 ? count : nil
  }

  /// What a sync has to carry out; writes from now on are the next one's.
  mutating func takeDirty() -> Dirty {
    defer {
      dirty.removeAll(keepingCapacity: true)
      volumesWithNewFiles.removeAll(keepingCapacity: true)
    }
    return Dirty(segments: Array(dirty.values), volumes: volumesWithNewFiles)
  }

  mutating func forget(_ name: SegmentName) {
    entries[name] = nil
    dirty[name] = nil
  }

  mutating func forget(_ volume: VolumeID) {
    for name in Array(entries.keys) where name.volume == volume { entries[name] = nil }
    for name in Array(dirty.keys) where name.volume == volume { dirty[name] = nil }
    volumesWithNewFiles.remove(volume)
    highestSegments[volume] = nil
  }

  /// After a truncation: the highest segment is known to be this.
  mutating func setHighest(_ segment: UInt32, of volume: VolumeID) {
    highestSegments[volume] = segment
  }
}
