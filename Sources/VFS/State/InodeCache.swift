import StorageModel

/// The inodes used of late, decoded. Written through, so dropping any is always right.
///
/// Two generations: when the young one is full it becomes the old one, whose unused half is
/// forgotten. Bounded, and no bookkeeping per hit.
struct InodeCache {
  private var young: [UInt64: Inode] = [:]
  private var old: [UInt64: Inode] = [:]
  private let generationCapacity: Int

  /// Inodes in both generations: about 3 MiB a volume.
  static let standardCapacity = 8192

  init(capacity: Int = standardCapacity) { generationCapacity = max(1, capacity / 2) }

  mutating func inode(_ number: InodeNumber) -> Inode? {
    if let inode = young[number.rawValue] { return inode }
    guard let inode = old[number.rawValue] else { return nil }
    insert(inode)
    return inode
  }

  mutating func insert(_ inode: Inode) {
    if young.count >= generationCapacity {
      swap(&old, &young)
      young.removeAll(keepingCapacity: true)
    }
    young[inode.number.rawValue] = inode
  }

  mutating func remove(_ number: InodeNumber) {
    young[number.rawValue] = nil
    old[number.rawValue] = nil
  }
}
