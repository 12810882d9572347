import IOSeams
import StorageModel

/// One operation in the making: what is read here is what the operation has changed so far, and
/// nothing of it is seen by others before `FileSystem.commit`.
struct Change {
  var counters: Counters
  /// Changes of data, in order; keys are added at the commit.
  var data: [Mutation] = []
  var reply: Reply = .done
  private(set) var inodes: [Inode] = []
  private(set) var removedInodes: [InodeNumber] = []
  private(set) var removedKeys: [StoreKey] = []
  private(set) var leftovers: [(inode: InodeNumber, leftover: Leftover)] = []
  private(set) var entries: [(key: StoreKey, bucket: EntryBucket, isChanged: Bool)] = []
  private(set) var xattrs: [(key: StoreKey, bucket: XattrBucket)] = []

  init(counters: Counters) { self.counters = counters }

  func inode(_ number: InodeNumber) -> Inode? { inodes.first { $0.number == number } }

  mutating func put(_ inode: Inode) {
    if let index = inodes.firstIndex(where: { $0.number == inode.number }) {
      inodes[index] = inode
    } else {
      inodes.append(inode)
    }
  }

  /// Deletes the inode and the keys that go with it.
  mutating func remove(_ number: InodeNumber, with keys: [StoreKey]) {
    inodes.removeAll { $0.number == number }
    removedInodes.append(number)
    removedKeys += keys
  }

  func leftover(_ inode: InodeNumber) -> Leftover? {
    leftovers.first { $0.inode == inode }?.leftover
  }

  /// A leftover that is nothing is deleted.
  mutating func put(_ leftover: Leftover, for inode: InodeNumber) {
    leftovers.removeAll { $0.inode == inode }
    leftovers.append((inode, leftover))
  }

  func entries(at key: StoreKey) -> EntryBucket? { entries.first { $0.key == key }?.bucket }

  mutating func put(_ bucket: EntryBucket, at key: StoreKey, isChanged: Bool = true) {
    if let index = entries.firstIndex(where: { $0.key == key }) {
      entries[index].bucket = bucket
      entries[index].isChanged = entries[index].isChanged || isChanged
    } else {
      entries.append((key, bucket, isChanged))
    }
  }

  mutating func put(_ bucket: XattrBucket, at key: StoreKey) {
    xattrs.removeAll { $0.key == key }
    xattrs.append((key, bucket))
  }

  /// All of it as one record.
  func transaction(previous: Counters, identity: RequestIdentity?) -> Transaction {
    var transaction = Transaction(data)
    for entry in entries where entry.isChanged {
      if entry.bucket.isEmpty {
        transaction.delete(entry.key)
      } else {
        transaction.put(entry.key, entry.bucket.encoded)
      }
    }
    for xattr in xattrs {
      if xattr.bucket.isEmpty {
        transaction.delete(xattr.key)
      } else {
        transaction.put(xattr.key, xattr.bucket.encoded)
      }
    }
    for inode in inodes { transaction.put(Keys.inode(inode.number), inode.encoded) }
    for number in removedInodes { transaction.delete(Keys.inode(number)) }
    for key in removedKeys { transaction.delete(key) }
    for (inode, leftover) in leftovers {
      if leftover.isNothing {
        transaction.delete(Keys.leftover(inode))
      } else {
        transaction.put(Keys.leftover(inode), leftover.encoded)
      }
    }
    if counters != previous { transaction.put(Keys.counters, counters.encoded) }
    if let identity {
      transaction.put(
        Keys.reply(identity), StoredReply(sequence: identity.sequence, reply: reply).encoded)
    }
    return transaction
  }
}
