internal import DiskFormat
internal import Glibc
internal import StorageModel

/// What lies in a journal's directory when it is opened.
struct JournalLayout {
  var trimMark: TrimMark
  /// From the segment that holds the trim position on, each starting behind the one before; those
  /// behind the journal's end are found by the scan.
  var live: [JournalSegmentFile]
  var nextNumber: UInt32

  static func open(
    directory: String, pool: PoolID, checksum: @escaping FileJournal.Checksum
  ) throws(StoreError) -> JournalLayout {
    try makeDirectory(directory)
    let trimPath = "\(directory)/trim"
    let entries = try names(in: directory)
    for name in entries where name.hasSuffix(JournalSegmentFile.temporarySuffix) {
      unlink("\(directory)/\(name)")
    }
    let numbers = entries.compactMap(JournalSegmentFile.number)
    let existing = try TrimMark.open(path: trimPath, pool: pool, checksum: checksum)
    guard existing != nil || numbers.isEmpty else {
      throw .corrupt(
        Corruption(place: directory, expected: "the file trim beside segments", found: "none"))
    }
    let trimMark: TrimMark
    if let existing {
      trimMark = existing
    } else {
      trimMark = try TrimMark.create(
        path: trimPath, pool: pool, position: FileJournal.firstPosition, checksum: checksum)
    }
    var layout = JournalLayout(
      trimMark: trimMark, live: [], nextNumber: (numbers.max() ?? 0) + 1)
    var found: [JournalSegmentFile] = []
    for number in numbers.sorted() {
      let path = "\(directory)/\(JournalSegmentFile.name(number: number))"
      let file = try OpenFile(path: path, flags: O_RDWR)
      if let segment = try readHeader(of: file, pool, checksum) {
        found.append(segment)
      } else {
        unlink(path)
      }
    }
    try layout.chain(found)
    return layout
  }

  /// Keeps the segments from the trim position on and removes the others.
  ///
  /// Free files are not kept across openings: after a power cut one may hold records that were
  /// written to it under a header that was not, and these would verify if the same positions
  /// came to lie in it again.
  private mutating func chain(_ found: [JournalSegmentFile]) throws(StoreError) {
    let sorted = found.sorted { $0.sequence < $1.sequence }
    let trim = trimMark.position
    guard let first = sorted.lastIndex(where: { $0.start <= trim }) else {
      guard sorted.isEmpty, trim == FileJournal.firstPosition else {
        throw .corrupt(
          Corruption(
            place: "journal", expected: "a segment that holds position \(trim)", found: "none"))
      }
      return
    }
    live = Array(sorted[first...])
    for segment in sorted[..<first] { unlink(segment.file.path) }
  }

  /// nil if the file has never held records.
  private static func readHeader(
    of file: OpenFile, _ pool: PoolID, _ checksum: FileJournal.Checksum
  ) throws(StoreError) -> JournalSegmentFile? {
    var bytes = [UInt8](repeating: 0, count: JournalSegmentHeader.byteCount)
    _ = try bytes.withMutableBytes { (target) throws(StoreError) in
      try file.read(into: target, at: 0)
    }
    guard bytes.contains(where: { $0 != 0 }) else { return nil }
    let size = try file.status().st_size
    do throws(Corruption) {
      let header = try bytes.withBytes { (bytes) throws(Corruption) in
        try JournalSegmentHeader.decode(bytes, checksum: checksum)
      }
      guard header.pool == pool else {
        throw Corruption(place: file.path, expected: "pool \(pool)", found: "\(header.pool)")
      }
      let byteCount = Int(size)
      guard header.fileByteCount == UInt64(size) else {
        throw Corruption(
          place: file.path, expected: "\(header.fileByteCount) bytes", found: "\(size)")
      }
      return JournalSegmentFile(
        file: file, sequence: header.sequence, start: header.start, byteCount: byteCount)
    } catch {
      throw .corrupt(
        Corruption(
          place: "\(file.path), \(error.place)", expected: error.expected, found: error.found))
    }
  }
}
