package import IOSeams
package import StorageModel

extension FileSystem {
  /// What a name leads to. `ENOENT` if nothing; `.` and `..` are understood.
  package mutating func lookup(
    _ name: [UInt8], in parent: InodeNumber, store: some VolumeStore
  ) throws(FileSystemFailure) -> FileAttributes {
    let change = Change(counters: counters)
    if name.first == UInt8(ascii: "."), name.count <= 2 {
      let directory = try directory(parent, change, store)
      if name.count == 1 { return directory.attributes(blockSize: store.blockSize) }
      if name[1] == UInt8(ascii: ".") {
        return try inode(directory.parent, store).attributes(blockSize: store.blockSize)
      }
    }
    guard name.count <= Self.maximumNameByteCount else { throw .posix(.nameTooLong) }
    let bucket = try entries(at: entryKey(name, in: parent, store), in: parent, store)
    guard let entry = bucket.entry(named: name) else { throw .posix(.noEntry) }
    return try inode(namedBy: entry, in: parent, change, store)
      .attributes(blockSize: store.blockSize)
  }

  /// What stat(2) tells. `ESTALE` if the inode is gone.
  package mutating func attributes(
    of number: InodeNumber, store: some VolumeStore
  ) throws(FileSystemFailure) -> FileAttributes {
    try inode(number, store).attributes(blockSize: store.blockSize)
  }

  /// A symbolic link's target; `EINVAL` for any other file.
  package mutating func readLink(
    _ number: InodeNumber, store: some VolumeStore
  ) throws(FileSystemFailure) -> [UInt8] {
    let inode = try inode(number, store)
    guard inode.kind == .symbolicLink else { throw .posix(.invalid) }
    return inode.target
  }
}
