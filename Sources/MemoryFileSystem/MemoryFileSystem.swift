package import FUSEServer
internal import Glibc
package import StorageModel
internal import Synchronization

/// A file system in memory that answers each request at once: what remains is the cost of FUSE.
///
/// A measuring partner and a test double: names, links, data and attributes as POSIX has them, but
/// a listing sorts its directory each time, and holes occupy memory.
package final class MemoryFileSystem: FileSystemHandler {
  let tree: Mutex<MemoryTree>

  package init() { tree = Mutex(MemoryTree(now: Self.now())) }

  /// The kernel's own coarse clock: a write in the tick of the create then needs no SETATTR.
  static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
  }

  /// Inodes that exist, the root included.
  package var inodeCount: Int { tree.withLock { $0.files.count } }

  package func forget(inode: InodeNumber, count: UInt64) {
    tree.withLock { tree in
      let held = tree.files[inode]?.lookupCount ?? 0
      tree.files[inode]?.lookupCount = held > count ? held - count : 0
      tree.reap(inode)
    }
  }

  package func lookup(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EntryReply
  ) {
    let found = tree.withLock { tree -> FileAttributes? in
      guard let inode = tree.child(Array(name), of: parent) else { return nil }
      tree.files[inode]?.lookupCount += 1
      return tree.files[inode]?.attributes
    }
    if let found { reply.entry(found) } else { reply.absent() }
  }

  package func getAttributes(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle?,
    reply: consuming AttributesReply
  ) {
    let found = tree.withLock { $0.files[inode]?.attributes }
    if let found { reply.attributes(found) } else { reply.fail(.noEntry) }
  }

  package func setAttributes(
    _ context: RequestContext, inode: InodeNumber, changes: AttributeChanges, handle: FileHandle?,
    reply: consuming AttributesReply
  ) {
    let changed = tree.withLock { tree -> FileAttributes? in
      tree.files[inode]?.apply(changes, now: Self.now())
      return tree.files[inode]?.attributes
    }
    if let changed { reply.attributes(changed) } else { reply.fail(.noEntry) }
  }

  package func readLink(
    _ context: RequestContext, inode: InodeNumber, reply: consuming DataReply
  ) {
    let target = tree.withLock { $0.files[inode]?.target ?? [] }
    reply.data(target)
  }

  package func statistics(_ context: RequestContext, reply: consuming StatisticsReply) {
    let count = UInt64(inodeCount)
    reply.statistics(
      FileSystemStatistics(
        blockByteCount: MemoryTree.blockByteCount, totalBlocks: 1 << 20, freeBlocks: 1 << 19,
        totalInodes: 1 << 20, freeInodes: (1 << 20) - min(count, 1 << 20),
        maximumNameByteCount: 255))
  }
}

extension MemoryFile {
  mutating func apply(_ changes: AttributeChanges, now: Timestamp) {
    if changes.dropsPrivileges, attributes.kind == .regular {
      attributes.permissions &= attributes.permissions & 0o010 != 0 ? 0o1777 : 0o3777
    }
    if let permissions = changes.permissions { attributes.permissions = permissions }
    if let userID = changes.userID { attributes.userID = userID }
    if let groupID = changes.groupID { attributes.groupID = groupID }
    if let size = changes.sizeBytes, size <= Int.max { resize(to: Int(size), now: now) }
    switch changes.accessed {
    case .now: attributes.accessed = now
    case .at(let time): attributes.accessed = time
    case nil: break
    }
    switch changes.modified {
    case .now: attributes.modified = now
    case .at(let time): attributes.modified = time
    case nil: break
    }
    attributes.changed = changes.changed ?? now
  }

  mutating func resize(to byteCount: Int, now: Timestamp) {
    if byteCount < data.count {
      data.removeLast(data.count - byteCount)
    } else {
      data.append(contentsOf: repeatElement(0, count: byteCount - data.count))
    }
    contentChanged(now)
  }

  mutating func contentChanged(_ now: Timestamp) {
    attributes.sizeBytes = UInt64(data.count)
    attributes.allocatedBytes = UInt64((data.count + 4095) & ~4095)
    attributes.modified = now
    attributes.changed = now
  }
}
