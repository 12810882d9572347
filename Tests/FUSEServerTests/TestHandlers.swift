import FUSEServer
import Glibc
import StorageModel
import Synchronization

/// Answers everything with "not implemented", except the root's attributes.
class WatchingHandler: FileSystemHandler, @unchecked Sendable {
  private let unmounts = Atomic<Int>(0)

  var unmountCount: Int { unmounts.load(ordering: .relaxed) }

  func unmounted() { unmounts.add(1, ordering: .relaxed) }

  static func attributes(_ inode: UInt64, _ kind: FileKind) -> FileAttributes {
    let time = Timestamp(seconds: 1, nanoseconds: 0)
    return FileAttributes(
      inode: InodeNumber(inode), kind: kind, permissions: 0o755, linkCount: 1, userID: 0,
      groupID: 0, device: 0, sizeBytes: 0, allocatedBytes: 0, accessed: time, modified: time,
      changed: time, created: time, blockByteCount: 4096)
  }

  func lookup(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EntryReply
  ) { reply.absent() }

  func forget(inode: InodeNumber, count: UInt64) {}

  func getAttributes(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle?,
    reply: consuming AttributesReply
  ) {
    reply.attributes(
      Self.attributes(inode.rawValue, inode == .root ? .directory : .regular))
  }

  func setAttributes(
    _ context: RequestContext, inode: InodeNumber, changes: AttributeChanges, handle: FileHandle?,
    reply: consuming AttributesReply
  ) { reply.fail(.notImplemented) }

  func readLink(_ context: RequestContext, inode: InodeNumber, reply: consuming DataReply) {
    reply.fail(.notImplemented)
  }

  func makeNode(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, kind: FileKind,
    permissions: UInt32, device: UInt32, reply: consuming EntryReply
  ) { reply.fail(.notImplemented) }

  func makeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    reply: consuming EntryReply
  ) { reply.fail(.notImplemented) }

  func unlink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) { reply.fail(.notImplemented) }

  func removeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) { reply.fail(.notImplemented) }

  func symbolicLink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, target: RequestBytes,
    reply: consuming EntryReply
  ) { reply.fail(.notImplemented) }

  func rename(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, newParent: InodeNumber,
    newName: RequestBytes, flags: RenameFlags, reply: consuming EmptyReply
  ) { reply.fail(.notImplemented) }

  func link(
    _ context: RequestContext, inode: InodeNumber, newParent: InodeNumber, newName: RequestBytes,
    reply: consuming EntryReply
  ) { reply.fail(.notImplemented) }

  func open(
    _ context: RequestContext, inode: InodeNumber, flags: OpenFlags, reply: consuming OpenReply
  ) { reply.opened(.none) }

  func create(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    flags: OpenFlags, reply: consuming CreateReply
  ) { reply.fail(.notImplemented) }

  func read(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    byteCount: Int, reply: consuming DataReply
  ) { reply.fail(.notImplemented) }

  func write(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    data: RequestBytes, flags: WriteFlags, reply: consuming WriteReply
  ) { reply.fail(.notImplemented) }

  func release(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, flags: OpenFlags,
    reply: consuming EmptyReply
  ) { reply.done() }

  func sync(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, dataOnly: Bool,
    reply: consuming EmptyReply
  ) { reply.done() }

  func openDirectory(
    _ context: RequestContext, inode: InodeNumber, flags: OpenFlags, reply: consuming OpenReply
  ) { reply.opened(.none) }

  func readDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, position: UInt64,
    reply: consuming DirectoryReply
  ) { reply.finish() }

  func releaseDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, reply: consuming EmptyReply
  ) { reply.done() }

  func syncDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, dataOnly: Bool,
    reply: consuming EmptyReply
  ) { reply.done() }

  func statistics(_ context: RequestContext, reply: consuming StatisticsReply) {
    reply.fail(.notImplemented)
  }

  func setExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, value: RequestBytes,
    mode: AttributeWriteMode, reply: consuming EmptyReply
  ) { reply.fail(.notSupported) }

  func getExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes,
    reply: consuming ExtendedAttributeReply
  ) { reply.fail(.noData) }

  func listExtendedAttributes(
    _ context: RequestContext, inode: InodeNumber, reply: consuming ExtendedAttributeReply
  ) { reply.fail(.notSupported) }

  func removeExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) { reply.fail(.notSupported) }

  func allocate(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, mode: AllocationMode,
    offsetBytes: UInt64, byteCount: UInt64, reply: consuming EmptyReply
  ) { reply.fail(.notSupported) }

  func seek(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    target: SeekTarget, reply: consuming SeekReply
  ) { reply.fail(.notImplemented) }
}

/// Answers lookups on a thread of its own, or not at all.
final class LateHandler: WatchingHandler, @unchecked Sendable {
  private let threads = Mutex<[pthread_t]>([])

  /// Waits for the threads that answer.
  func join() {
    for thread in threads.withLock({ $0 }) { pthread_join(thread, nil) }
  }

  override func lookup(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EntryReply
  ) {
    guard name.elementsEqual("late".utf8) else { return }
    let token = reply.detach()
    let thread = makeThread {
      EntryReply(token).entry(WatchingHandler.attributes(42, .regular))
    }
    threads.withLock { $0.append(thread) }
  }
}

/// Starts a thread that runs `body`.
func makeThread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { argument in
      if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
      return nil
    }, Unmanaged.passRetained(Box(body)).toOpaque())
  return thread
}
