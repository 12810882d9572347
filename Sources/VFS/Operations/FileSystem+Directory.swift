package import IOSeams
package import StorageModel

/// One name of a directory, as readdir(3) sees it.
package struct DirectoryEntry: Hashable, Sendable {
  package var name: [UInt8]
  package var inode: InodeNumber
  package var kind: FileKind
  /// Where to go on after this entry; stable for the entry's life, 1 ... Int64.max.
  package var position: UInt64
}

extension FileSystem {
  /// Visits the names after a position (0: from the start, with `.` and `..` first) until `visit`
  /// returns false; that entry counts as not taken.
  package mutating func readDirectory(
    _ number: InodeNumber, after position: UInt64, store: some VolumeStore,
    _ visit: (DirectoryEntry) -> Bool
  ) throws(FileSystemFailure) {
    let directory = try inode(number, store)
    guard directory.isDirectory else { throw .posix(.notDirectory) }
    for dots in [
      DirectoryEntry(name: [46], inode: number, kind: .directory, position: 1),
      DirectoryEntry(name: [46, 46], inode: directory.parent, kind: .directory, position: 2),
    ] where dots.position > position {
      guard visit(dots) else { return }
    }
    guard directory.entryCount > 0, let lower = Self.start(in: number, after: position) else {
      return
    }
    var failure: FileSystemFailure?
    let range = Keys.Range(lower: lower, upper: Keys.entries(of: number).upper)
    try store.visit(range) { key, value in
      do throws(FileSystemFailure) {
        return try Self.visit(value, at: key, of: number, after: position, visit)
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
  }

  /// As `readDirectory`, with each entry's attributes (those of `.` and `..` included). Looks
  /// `batchCount` entries ahead: ask for what the answer has room for.
  package mutating func readDirectoryPlus(
    _ number: InodeNumber, after start: UInt64, batchCount: Int, store: some VolumeStore,
    _ visit: (DirectoryEntry, FileAttributes) -> Bool
  ) throws(FileSystemFailure) {
    let batchCount = max(1, batchCount)
    var position = start
    while true {
      var batch: [DirectoryEntry] = []
      batch.reserveCapacity(batchCount)
      try readDirectory(number, after: position, store: store) { entry in
        batch.append(entry)
        return batch.count < batchCount
      }
      for entry in batch {
        position = entry.position
        let inode: Inode
        do {
          inode = try self.inode(entry.inode, store)
        } catch .posix(.stale) {
          // The parent of a removed directory may be gone as well.
          guard entry.position > 2 else { continue }
          throw .corrupt(
            "entry of directory \(number.rawValue)", expected: "inode \(entry.inode.rawValue)",
            found: "none")
        }
        guard visit(entry, inode.attributes(blockSize: store.blockSize)) else { return }
      }
      guard batch.count == batchCount else { return }
    }
  }

  /// The first key that may hold entries after a position.
  private static func start(in directory: InodeNumber, after position: UInt64) -> StoreKey? {
    guard position > 255 else { return Keys.entries(of: directory).lower }
    guard position < Int64.max, let hash = NameHash(stored: (position + 1) >> 8) else { return nil }
    return Keys.entry(in: directory, hash: hash)
  }

  /// Visits the entries of one stored bucket.
  private static func visit(
    _ value: [UInt8], at key: StoreKey, of directory: InodeNumber, after position: UInt64,
    _ visit: (DirectoryEntry) -> Bool
  ) throws(FileSystemFailure) -> Bool {
    guard let hash = Keys.hash(in: key) else {
      throw .corrupt(
        "key of directory \(directory.rawValue)", expected: "a name's hash",
        found: "\(key.bytes.count) bytes")
    }
    for entry in try EntryBucket(decoding: value, directory: directory).entries {
      let entryPosition = hash.position(slot: entry.slot)
      guard entryPosition > position else { continue }
      let found = DirectoryEntry(
        name: entry.name, inode: entry.inode, kind: entry.kind, position: entryPosition)
      guard visit(found) else { return false }
    }
    return true
  }
}
