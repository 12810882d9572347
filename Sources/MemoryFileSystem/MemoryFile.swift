internal import StorageModel

/// One inode in memory.
struct MemoryFile {
  var attributes: FileAttributes
  var data: [UInt8] = []
  /// Entries of a directory by name.
  var entries: [[UInt8]: Entry] = [:]
  var parent = InodeNumber.root
  var target: [UInt8] = []
  var extendedAttributes: [[UInt8]: [UInt8]] = [:]
  /// References of the kernel.
  var lookupCount: UInt64 = 0

  struct Entry {
    var inode: InodeNumber
    /// Where a listing continues with this entry: grows, never reused.
    var position: UInt64
  }
}

/// All inodes of a memory file system.
struct MemoryTree {
  var files: [InodeNumber: MemoryFile] = [:]
  private(set) var nextInode: UInt64 = 2
  private(set) var nextPosition: UInt64 = 3

  static let blockByteCount: UInt32 = 4096

  init(now: Timestamp) {
    let root = Self.attributes(.root, .directory, 0o755, userID: 0, groupID: 0, device: 0, now)
    files[.root] = MemoryFile(attributes: root)
  }

  /// Makes an inode without a name.
  mutating func make(
    _ kind: FileKind, permissions: UInt32, caller: Caller, device: UInt32 = 0, now: Timestamp
  ) -> InodeNumber {
    let inode = InodeNumber(nextInode)
    nextInode += 1
    let attributes = Self.attributes(
      inode, kind, permissions, userID: caller.userID, groupID: caller.groupID, device: device, now)
    files[inode] = MemoryFile(attributes: attributes)
    return inode
  }

  mutating func attach(_ inode: InodeNumber, as name: [UInt8], to parent: InodeNumber) {
    files[parent]?.entries[name] = MemoryFile.Entry(inode: inode, position: nextPosition)
    nextPosition += 1
    files[inode]?.parent = parent
  }

  @discardableResult
  mutating func detach(_ name: [UInt8], from parent: InodeNumber) -> InodeNumber? {
    files[parent]?.entries.removeValue(forKey: name)?.inode
  }

  func child(_ name: [UInt8], of parent: InodeNumber) -> InodeNumber? {
    files[parent]?.entries[name]?.inode
  }

  /// Forgets an inode that has neither names nor references.
  mutating func reap(_ inode: InodeNumber) {
    guard let file = files[inode], inode != .root, file.attributes.linkCount == 0,
      file.lookupCount == 0
    else { return }
    files[inode] = nil
  }

  private static func attributes(
    _ inode: InodeNumber, _ kind: FileKind, _ permissions: UInt32, userID: UInt32,
    groupID: UInt32, device: UInt32, _ now: Timestamp
  ) -> FileAttributes {
    FileAttributes(
      inode: inode, kind: kind, permissions: permissions, linkCount: kind == .directory ? 2 : 1,
      userID: userID, groupID: groupID, device: device, sizeBytes: 0, allocatedBytes: 0,
      accessed: now, modified: now, changed: now, created: now, blockByteCount: blockByteCount)
  }
}
