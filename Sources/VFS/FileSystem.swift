package import IOSeams
package import StorageModel

/// A POSIX file system on one volume's keys and blocks.
///
/// Stepped under the volume's lock: each call reads what it needs, commits at most one record
/// (long allocations and `reclaim` commit several) and leaves memory as it was if that fails.
/// Durable is a change once the journal is synced up to `lastReceipt`.
///
/// Access rights are the kernel's business (`default_permissions`); what it leaves to a file
/// system is done here: set-group-ID of directories, clearing of privileges, links and orphans.
package struct FileSystem: Sendable {
  /// How many files and directories there are.
  package internal(set) var counters: Counters
  /// What the last committed change became.
  package internal(set) var lastReceipt: CommitReceipt?

  var cache = InodeCache()
  /// How often each open file is open.
  var openCounts: [UInt64: UInt32] = [:]
  /// What has still to be given back, by inode; the keys `O` hold the same.
  var leftovers: [UInt64: Leftover] = [:]
  /// Those of `leftovers` that `reclaim` can work on.
  var reclaimable: Set<UInt64> = []
  var orphanCount: UInt64 = 0
  var orphanPolicy: OrphanPolicy

  /// A name's longest length in bytes (`NAME_MAX`).
  package static let maximumNameByteCount = 255
  /// A symbolic link's longest target in bytes (`PATH_MAX` without its NUL).
  package static let maximumTargetByteCount = 4095
  /// What is freed by the operation that gave it up; more is left to `reclaim`.
  static let immediateFreeByteCount: UInt64 = 1 << 20

  /// Makes the root directory, unless the volume has one.
  package static func format(
    _ store: inout some VolumeStore, now: Timestamp
  ) throws(FileSystemFailure) {
    guard try store.read(Keys.counters) == nil else { return }
    var root = Inode(
      number: .root, kind: .directory, permissions: 0o755, linkCount: 2, userID: 0, groupID: 0,
      now: now)
    root.parent = .root
    let counters = Counters(nextInode: InodeNumber.root.rawValue + 1, files: 0, directories: 1)
    var transaction = Transaction()
    transaction.put(Keys.inode(.root), root.encoded)
    transaction.put(Keys.counters, counters.encoded)
    _ = try store.record(transaction)
  }

  /// Opens a formatted volume. With `untilLastRelease` the orphans that a crash left behind are
  /// queued for `reclaim`; with `untilForget` they are kept.
  package init(
    loading store: some VolumeStore, orphans policy: OrphanPolicy = .untilLastRelease
  ) throws(FileSystemFailure) {
    guard let bytes = try store.read(Keys.counters) else {
      throw .corrupt("file system", expected: "its counters", found: "none: not formatted")
    }
    counters = try Counters(decoding: bytes)
    orphanPolicy = policy
    var found: [(inode: InodeNumber, bytes: [UInt8])] = []
    var strayKeyCount = 0
    try store.visit(Keys.leftovers) { key, value in
      if let inode = Keys.inodeNumber(in: key) {
        found.append((inode, value))
      } else {
        strayKeyCount += 1
      }
      return true
    }
    guard strayKeyCount == 0 else {
      throw .corrupt(
        "leftovers", expected: "an inode in each key", found: "\(strayKeyCount) without")
    }
    for (inode, bytes) in found {
      remember(try Leftover(decoding: bytes, inode: inode), for: inode)
    }
    if policy == .untilLastRelease { try queueOrphans(store) }
  }

  /// How full the volume is, in constant time. What `reclaim` will free counts as free.
  package func statistics(_ store: some VolumeStore) -> FileSystemStatistics {
    let waiting = reclaimable.reduce(UInt64(0)) { $0 + (leftovers[$1]?.blockCount ?? 0) }
    let total = inodeCapacity(store)
    return FileSystemStatistics(
      blockByteCount: UInt32(store.blockSize.byteCount), totalBlocks: store.capacityBlocks,
      freeBlocks: store.capacityBlocks.decreased(by: store.usedBlocks.decreased(by: waiting)),
      totalInodes: total, freeInodes: total.decreased(by: inodeCount),
      maximumNameByteCount: UInt32(Self.maximumNameByteCount))
  }

  var inodeCount: UInt64 { counters.files + counters.directories + orphanCount }

  func inodeCapacity(_ store: some VolumeStore) -> UInt64 { max(1024, store.capacityBlocks) }

  /// Takes over a leftover that is stored, or the news that it is gone.
  mutating func remember(_ leftover: Leftover, for inode: InodeNumber) {
    let wasOrphan = leftovers[inode.rawValue]?.isOrphan ?? false
    if leftover.isOrphan, !wasOrphan { orphanCount += 1 }
    if !leftover.isOrphan, wasOrphan { orphanCount -= 1 }
    leftovers[inode.rawValue] = leftover.isNothing ? nil : leftover
    if leftover.isReclaimable {
      reclaimable.insert(inode.rawValue)
    } else {
      reclaimable.remove(inode.rawValue)
    }
  }
}
