package import IOSeams
import StorageModel

extension FileSystem {
  /// Forgets the replies kept for a session that is over: its mount is gone.
  package mutating func endSession(
    _ session: UInt64, store: inout some VolumeStore
  ) throws(FileSystemFailure) {
    var transaction = Transaction()
    try store.visit(Keys.replies(of: session)) { key, _ in
      transaction.delete(key)
      return true
    }
    guard !transaction.mutations.isEmpty else { return }
    lastReceipt = try store.record(transaction)
  }

  /// The reply that the same request got before; nil if it has yet to be carried out.
  func keptReply(
    to request: FileRequest, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> Reply? {
    guard let identity = request.identity, identity.mayBeRepeated,
      let bytes = try store.read(Keys.reply(identity))
    else { return nil }
    let stored = try StoredReply(decoding: bytes)
    return stored.sequence == identity.sequence ? stored.reply : nil
  }

  /// Carries out an operation that answers with attributes, unless it was before.
  mutating func produceOnce<Store: VolumeStore>(
    _ request: FileRequest, _ store: inout Store,
    _ operation: (inout FileSystem, inout Change, inout Store) throws(FileSystemFailure) -> Inode
  ) throws(FileSystemFailure) -> FileAttributes {
    if case .inode(let number) = try keptReply(to: request, store) {
      return try inode(number, store).attributes(blockSize: store.blockSize)
    }
    var change = Change(counters: counters)
    let inode = try operation(&self, &change, &store)
    change.reply = .inode(inode.number)
    try commit(change, request, &store)
    return inode.attributes(blockSize: store.blockSize)
  }

  /// Carries out an operation that answers with nothing, unless it was before.
  mutating func once<Store: VolumeStore>(
    _ request: FileRequest, _ store: inout Store,
    _ operation: (inout FileSystem, inout Change, inout Store) throws(FileSystemFailure) -> Void
  ) throws(FileSystemFailure) {
    if try keptReply(to: request, store) != nil { return }
    var change = Change(counters: counters)
    try operation(&self, &change, &store)
    try commit(change, request, &store)
  }
}
