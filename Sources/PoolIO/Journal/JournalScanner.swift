internal import DiskFormat
internal import IOSeams
internal import StorageModel

/// Reads a journal's records in order until one does not verify.
struct JournalScanner {
  private let segments: [JournalSegmentFile]
  private let checksum: FileJournal.Checksum
  private var index: Int
  /// The whole file of `segments[index]`.
  private var bytes: [UInt8] = []
  /// Where the next record starts, or would.
  private(set) var position: JournalPosition

  /// Why the scan stopped; nil while it runs and at a clean end.
  private(set) var stop: Corruption?

  /// - Parameter segments: not empty; the scan starts in the last one that starts at or before
  ///   `position`.
  init(
    _ segments: [JournalSegmentFile], from position: JournalPosition,
    checksum: @escaping FileJournal.Checksum
  ) throws(StoreError) {
    self.segments = segments
    self.checksum = checksum
    self.position = position
    self.index = segments.lastIndex { $0.start <= position } ?? 0
    try load()
  }

  /// The next record's header and its payload, which is valid inside `body` only; false at the
  /// end.
  mutating func next(
    _ body: (JournalFrame, UnsafeRawBufferPointer) throws(StoreError) -> Void
  ) throws(StoreError) -> Bool {
    if index + 1 < segments.count, segments[index + 1].start == position,
      segments[index + 1].sequence == segments[index].sequence + 1
    {
      index += 1
      try load()
    }
    let offset = segments[index].offset(of: position)
    var found: JournalFrame?
    do throws(Corruption) {
      found = try bytes.withBytes { (bytes) throws(Corruption) in
        try verifiedFrame(in: bytes, at: offset)
      }
    } catch {
      stop = error
    }
    guard let frame = found else { return false }
    position = frame.end
    let start = offset + JournalFrame.headerByteCount
    try bytes.withBytes { (bytes) throws(StoreError) in
      try body(
        frame, UnsafeRawBufferPointer(rebasing: bytes[start..<start + frame.payloadByteCount]))
    }
    return true
  }

  /// The position before which all was synced, said by a record behind the end: then the end is
  /// no torn tail but lost data.
  mutating func barrierBehindEnd() throws(StoreError) -> JournalPosition? {
    let end = position
    var newest: JournalPosition?
    var offset = segments[index].offset(of: end)
    while true {
      newest = max(newest ?? .zero, newestBarrier(fromOffset: offset) ?? .zero)
      guard index + 1 < segments.count else { break }
      index += 1
      try load()
      offset = JournalSegmentHeader.blockByteCount
    }
    guard let newest, newest > end else { return nil }
    return newest
  }

  /// nil where the segment has only zeros left.
  private func verifiedFrame(
    in bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(Corruption) -> JournalFrame? {
    guard offset + JournalFrame.headerByteCount <= bytes.count else { return nil }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
    guard rest[..<JournalFrame.headerByteCount].contains(where: { $0 != 0 }) else { return nil }
    let frame = try JournalFrame.decode(rest, at: position, checksum: checksum)
    guard frame.byteCount <= rest.count else {
      throw Corruption(
        place: "journal record at \(position)", expected: "at most \(rest.count) bytes",
        found: "\(frame.byteCount)")
    }
    let payload = rest[JournalFrame.headerByteCount...].prefix(frame.payloadByteCount)
    try frame.verify(payload: UnsafeRawBufferPointer(rebasing: payload), checksum: checksum)
    return frame
  }

  private func newestBarrier(fromOffset first: Int) -> JournalPosition? {
    bytes.withUnsafeBytes { bytes in
      var newest: JournalPosition?
      let last = bytes.count - JournalFrame.headerByteCount
      for offset in stride(from: first, through: last, by: JournalFrame.alignmentByteCount)
      where bytes[offset] != 0 {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        let place = segments[index].position(ofOffset: offset)
        guard Self.looksLikeFrame(rest, at: place),
          // What is no frame is what a torn tail looks like, and no news.
          let frame = try? JournalFrame.decode(rest, at: place, checksum: checksum)
        else { continue }
        newest = max(newest ?? .zero, frame.barrier)
      }
      return newest
    }
  }

  /// A cheap look at the header's position before it is decoded.
  private static func looksLikeFrame(
    _ bytes: UnsafeRawBufferPointer, at position: JournalPosition
  ) -> Bool {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
      == position.rawValue
  }

  private mutating func load() throws(StoreError) {
    let segment = segments[index]
    if bytes.count != segment.byteCount { bytes = [UInt8](repeating: 0, count: segment.byteCount) }
    let count = try bytes.withMutableBytes { (target) throws(StoreError) in
      try segment.file.read(into: target, at: 0)
    }
    guard count == segment.byteCount else {
      throw .corrupt(
        Corruption(
          place: segment.file.path, expected: "\(segment.byteCount) bytes", found: "\(count)"))
    }
  }
}
