internal import CRocksDB
package import DiskFormat
internal import Glibc
internal import IOSeams
package import StorageModel
internal import Synchronization

/// The data files of a pool's volumes: `<directory>/<volume>/<segment, 8 hex digits>.seg`.
///
/// Reads and writes run at the same time on all threads; the table's lock is held for look-ups
/// only, and while a file is created or removed. Nothing is durable before `syncDirty`.
package final class FileSegments: SegmentStore {
  package static let maximumOpenCount = 256
  /// Freed ranges are cut to whole blocks of the host's file systems.
  private static let holeAlignmentByteCount: UInt64 = 4096

  let directory: String
  private let gauge: SpaceGauge
  private let table: Mutex<SegmentTable>
  private let completedWriteCount = Atomic<UInt64>(0)
  /// Held through a whole sync, so that no call returns while another still carries out what it
  /// took; holds the error that ended all syncs.
  private let syncFailure = Mutex<StoreError?>(nil)

  /// - Parameter directory: made if it does not exist.
  package init(
    directory: String, reserve: SpaceReserve = SpaceReserve(),
    maximumOpenCount: Int = FileSegments.maximumOpenCount
  ) throws(StoreError) {
    try makeDirectory(directory)
    self.directory = directory
    self.gauge = SpaceGauge(path: directory, reserve: reserve)
    self.table = Mutex(SegmentTable(maximumOpenCount: maximumOpenCount))
  }

  /// The file system's size and what is free for segment data.
  package func space() throws(StoreError) -> PoolSpace { try gauge.space() }

  /// How many writes have come back; one that is counted is in the dirty set.
  package var writeCount: UInt64 { completedWriteCount.load(ordering: .acquiring) }

  /// - Throws: `.poolFull` if the file system is full up to the reserve.
  package func write(
    _ bytes: UnsafeRawBufferPointer, volume: VolumeID, at location: SegmentLocation
  ) throws(StoreError) {
    guard !bytes.isEmpty else { return }
    try gauge.take(byteCount: UInt64(bytes.count))
    let segment = try openForWriting(SegmentName(volume: volume, segment: location.segment))
    defer {
      // Also after an error: part of the bytes may have been written.
      table.withLock { $0.endWrite(segment) }
      completedWriteCount.add(1, ordering: .acquiringAndReleasing)
    }
    try segment.file.write(bytes, at: Int(location.offsetBytes))
  }

  /// - Throws: `.corrupt` if the file ends before the range; `.io` with ENOENT if there is none.
  package func read(
    into target: UnsafeMutableRawBufferPointer, volume: VolumeID, at location: SegmentLocation
  ) throws(StoreError) {
    let segment = try openForReading(SegmentName(volume: volume, segment: location.segment))
    let count = try segment.file.read(into: target, at: Int(location.offsetBytes))
    guard count == target.count else {
      throw .corrupt(
        Corruption(
          place: "\(segment.file.path), byte \(location.offsetBytes)",
          expected: "\(target.count) bytes", found: "\(count)"))
    }
  }

  package func free(
    volume: VolumeID, at location: SegmentLocation, byteCount: UInt64
  ) throws(StoreError) {
    let alignment = Self.holeAlignmentByteCount
    let first = (location.offsetBytes + alignment - 1) / alignment * alignment
    let end = (location.offsetBytes + byteCount) / alignment * alignment
    guard first < end else { return }
    let name = SegmentName(volume: volume, segment: location.segment)
    let segment: OpenSegment
    do throws(StoreError) {
      segment = try openForReading(name)
    } catch .io(let failure) where failure.errorNumber == ENOENT {
      return  // freed whole before, perhaps by a recovery that repeats itself
    }
    let mode = Int32(GALLEON_FALLOC_FL_PUNCH_HOLE | GALLEON_FALLOC_FL_KEEP_SIZE)
    guard fallocate(segment.file.descriptor, mode, off_t(first), off_t(end - first)) == 0 else {
      throw systemError("free \(end - first) bytes at \(first) of \(segment.file.path)")
    }
    guard try segment.file.status().st_blocks == 0 else { return }
    try removeIfEmpty(segment)
  }

  /// Frees many ranges with as few calls of the host's file system as possible: ranges that touch
  /// become one, and holes are costly where the host discards them at once (mount option
  /// `discard` without a journal: 3 ms each).
  package func free(_ ranges: [FreedRange], of volume: VolumeID) throws(StoreError) {
    var pending: FreedRange?
    for range in ranges.sorted(by: { $0.location < $1.location }) {
      if let last = pending, last.location.segment == range.location.segment,
        last.location.offsetBytes + last.byteCount == range.location.offsetBytes
      {
        pending?.byteCount += range.byteCount
      } else {
        if let last = pending {
          try free(volume: volume, at: last.location, byteCount: last.byteCount)
        }
        pending = range
      }
    }
    guard let last = pending else { return }
    try free(volume: volume, at: last.location, byteCount: last.byteCount)
  }

  package func truncate(volume: VolumeID, after location: SegmentLocation) throws(StoreError) {
    let segments = try segmentNumbers(of: volume)
    for number in segments where number > location.segment {
      let name = SegmentName(volume: volume, segment: number)
      table.withLock { $0.forget(name) }
      try remove(path(of: name))
    }
    if segments.contains(location.segment) {
      let segment = try openForReading(SegmentName(volume: volume, segment: location.segment))
      if try segment.file.status().st_size > Int(location.offsetBytes) {
        guard ftruncate(segment.file.descriptor, off_t(location.offsetBytes)) == 0 else {
          throw systemError("cut \(segment.file.path) to \(location.offsetBytes) bytes")
        }
        try segment.file.syncData()
      }
    }
    table.withLock { $0.setHighest(location.segment, of: volume) }
    if !segments.isEmpty { try syncDirectory(directory(of: volume)) }
  }

  package func removeAll(volume: VolumeID) throws(StoreError) {
    table.withLock { $0.forget(volume) }
    let path = directory(of: volume)
    guard access(path, F_OK) == 0 || errno != ENOENT else { return }
    for name in try names(in: path) { try remove("\(path)/\(name)") }
    guard rmdir(path) == 0 || errno == ENOENT else { throw systemError("remove \(path)") }
    try syncDirectory(directory)
  }

  /// On return all writes that came back before the call are on stable storage.
  ///
  /// After an error nothing is known of what was written, so every later call fails too.
  package func syncDirty() throws(StoreError) {
    try syncFailure.withLock { (failure) throws(StoreError) in
      if let failure { throw failure }
      do throws(StoreError) {
        try syncTaken(table.withLock { $0.takeDirty() })
      } catch {
        failure = error
        throw error
      }
    }
  }

  private func syncTaken(_ dirty: SegmentTable.Dirty) throws(StoreError) {
    for segment in dirty.segments { try segment.file.syncData() }
    for volume in dirty.volumes { try syncDirectory(directory(of: volume)) }
    if !dirty.volumes.isEmpty { try syncDirectory(directory) }
  }

  /// Files with writes that no sync has carried out yet.
  package var unsyncedFileCount: Int { table.withLock { $0.dirty.count } }

  /// The volumes that have segments.
  package func volumes() throws(StoreError) -> [VolumeID] {
    try names(in: directory).compactMap { VolumeID($0) }
  }

  /// Bytes that a volume's segments occupy on the host's file system.
  package func occupiedBytes(of volume: VolumeID) throws(StoreError) -> UInt64 {
    var bytes: UInt64 = 0
    for number in try segmentNumbers(of: volume) {
      var status = stat()
      let name = SegmentName(volume: volume, segment: number)
      if stat(path(of: name), &status) == 0 { bytes += UInt64(status.st_blocks) * 512 }
    }
    return bytes
  }
}

extension FileSegments {
  private static let suffix = ".seg"

  private func directory(of volume: VolumeID) -> String { "\(directory)/\(volume)" }

  private func path(of name: SegmentName) -> String {
    let digits = String(name.segment, radix: 16)
    let zeros = String(repeating: "0", count: 8 - digits.count)
    return "\(directory(of: name.volume))/\(zeros)\(digits)\(Self.suffix)"
  }

  private func segmentNumbers(of volume: VolumeID) throws(StoreError) -> [UInt32] {
    let path = directory(of: volume)
    guard access(path, F_OK) == 0 || errno != ENOENT else { return [] }
    return try names(in: path).compactMap { name in
      guard name.hasSuffix(Self.suffix), name.utf8.count == 8 + Self.suffix.utf8.count else {
        return nil
      }
      return UInt32(name.dropLast(Self.suffix.utf8.count), radix: 16)
    }
  }

  private func openForReading(_ name: SegmentName) throws(StoreError) -> OpenSegment {
    if let segment = table.withLock({ $0.open(name) }) { return segment }
    let file = try OpenFile(path: path(of: name), flags: O_RDWR)
    return table.withLock { $0.add(OpenSegment(name: name, file: file)) }
  }

  /// The caller ends the write. Counted as a writer under the same lock under which the file is
  /// found or made, so that nobody removes it in between.
  private func openForWriting(_ name: SegmentName) throws(StoreError) -> OpenSegment {
    try table.withLock { (table) throws(StoreError) in
      let segment: OpenSegment
      if let present = table.open(name) {
        segment = present
      } else {
        segment = table.add(OpenSegment(name: name, file: try openOrCreate(name, &table)))
      }
      table.noteHighest(name.segment, of: name.volume)
      table.beginWrite(name)
      return segment
    }
  }

  private func openOrCreate(
    _ name: SegmentName, _ table: inout SegmentTable
  ) throws(StoreError) -> OpenFile {
    let path = path(of: name)
    do throws(StoreError) {
      return try OpenFile(path: path, flags: O_RDWR)
    } catch .io(let failure) where failure.errorNumber == ENOENT {
      guard mkdir(directory(of: name.volume), 0o700) == 0 || errno == EEXIST else {
        throw systemError("create directory \(directory(of: name.volume))")
      }
      table.noteNewFile(of: name.volume)
      return try OpenFile(path: path, flags: O_RDWR | O_CREAT)
    }
  }

  /// Removes a file whose every block was freed, unless more will be written to it.
  private func removeIfEmpty(_ segment: OpenSegment) throws(StoreError) {
    let volume = segment.name.volume
    if table.withLock({ $0.highestSegments[volume] }) == nil {
      guard let highest = try segmentNumbers(of: volume).max() else { return }
      table.withLock { $0.noteHighest(highest, of: volume) }
    }
    try table.withLock { (table) throws(StoreError) in
      guard segment.name.segment < table.highestSegments[volume] ?? 0,
        table.writerCounts[segment.name] == nil,
        try segment.file.status().st_blocks == 0
      else { return }
      table.forget(segment.name)
      try remove(path(of: segment.name))
    }
  }

  private func remove(_ path: String) throws(StoreError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw systemError("remove \(path)") }
  }
}
