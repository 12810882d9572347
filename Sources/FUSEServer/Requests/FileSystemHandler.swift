package import StorageModel

/// Bytes of the request that is being handled: valid until the handler's method returns.
package typealias RequestBytes = UnsafeRawBufferPointer

/// A file system as the kernel sees it: one method per request.
///
/// Methods are called on the session's reader threads, several at a time. Each gets a reply that
/// must be used exactly once, at once (the fast path: no thread hand-over) or later from any
/// thread (`detach()`). A reply that is dropped answers EIO. Permissions are checked by the kernel
/// (`default_permissions`) before a request is sent; names hold no `/` and no NUL, but may be
/// longer than the file system allows.
package protocol FileSystemHandler: AnyObject, Sendable {
  func lookup(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EntryReply)

  /// The kernel drops `count` of the references that entries gave it (lookup, create, readdirplus).
  func forget(inode: InodeNumber, count: UInt64)

  func getAttributes(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle?,
    reply: consuming AttributesReply)

  /// A change of owner or size also drops privileges where `changes.dropsPrivileges` says so.
  func setAttributes(
    _ context: RequestContext, inode: InodeNumber, changes: AttributeChanges, handle: FileHandle?,
    reply: consuming AttributesReply)

  func readLink(_ context: RequestContext, inode: InodeNumber, reply: consuming DataReply)

  func makeNode(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, kind: FileKind,
    permissions: UInt32, device: UInt32, reply: consuming EntryReply)

  func makeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    reply: consuming EntryReply)

  func unlink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply)

  func removeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply)

  func symbolicLink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, target: RequestBytes,
    reply: consuming EntryReply)

  func rename(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, newParent: InodeNumber,
    newName: RequestBytes, flags: RenameFlags, reply: consuming EmptyReply)

  func link(
    _ context: RequestContext, inode: InodeNumber, newParent: InodeNumber, newName: RequestBytes,
    reply: consuming EntryReply)

  /// Not called when the session's opens are stateless.
  func open(
    _ context: RequestContext, inode: InodeNumber, flags: OpenFlags, reply: consuming OpenReply)

  func create(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    flags: OpenFlags, reply: consuming CreateReply)

  /// O_TMPFILE: a file without a name; `.notImplemented` turns it off for the mount's life.
  func createUnnamed(
    _ context: RequestContext, parent: InodeNumber, permissions: UInt32, flags: OpenFlags,
    reply: consuming CreateReply)

  /// Reads up to `byteCount` bytes; fewer mean the end of the file.
  func read(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    byteCount: Int, reply: consuming DataReply)

  /// `data` starts at a page boundary in memory and is not copied.
  func write(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    data: RequestBytes, flags: WriteFlags, reply: consuming WriteReply)

  /// A descriptor was closed. `.notImplemented` stops these requests for the mount's life.
  func flush(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, reply: consuming EmptyReply)

  /// The last descriptor of an open was closed. The kernel waits for no answer.
  func release(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, flags: OpenFlags,
    reply: consuming EmptyReply)

  func sync(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, dataOnly: Bool,
    reply: consuming EmptyReply)

  /// Not called when the session's opens are stateless.
  func openDirectory(
    _ context: RequestContext, inode: InodeNumber, flags: OpenFlags, reply: consuming OpenReply)

  /// Lists from `position` on (0: the start, else a `nextPosition` that was given before) until
  /// the reply is full. With `reply.includesAttributes` each entry except `.` and `..` counts as
  /// a lookup.
  func readDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, position: UInt64,
    reply: consuming DirectoryReply)

  func releaseDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, reply: consuming EmptyReply)

  func syncDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, dataOnly: Bool,
    reply: consuming EmptyReply)

  func statistics(_ context: RequestContext, reply: consuming StatisticsReply)

  func setExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, value: RequestBytes,
    mode: AttributeWriteMode, reply: consuming EmptyReply)

  func getExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes,
    reply: consuming ExtendedAttributeReply)

  /// Answers all names, each ended by NUL.
  func listExtendedAttributes(
    _ context: RequestContext, inode: InodeNumber, reply: consuming ExtendedAttributeReply)

  func removeExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, reply: consuming EmptyReply)

  func allocate(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, mode: AllocationMode,
    offsetBytes: UInt64, byteCount: UInt64, reply: consuming EmptyReply)

  func seek(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    target: SeekTarget, reply: consuming SeekReply)

  func copyRange(
    _ context: RequestContext, from source: CopyEnd, to target: CopyEnd, byteCount: UInt64,
    reply: consuming WriteReply)

  /// The file system was unmounted everywhere; no more requests come. Called once, on the last
  /// reader thread; not called when the session is handed over.
  func unmounted()
}

/// One side of copy_file_range(2).
package struct CopyEnd: Hashable, Sendable {
  package var inode: InodeNumber
  package var handle: FileHandle
  package var offsetBytes: UInt64

  package init(inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64) {
    self.inode = inode
    self.handle = handle
    self.offsetBytes = offsetBytes
  }
}

/// What a file system without these requests answers: the kernel then does without.
extension FileSystemHandler {
  package func createUnnamed(
    _ context: RequestContext, parent: InodeNumber, permissions: UInt32, flags: OpenFlags,
    reply: consuming CreateReply
  ) {
    reply.fail(.notImplemented)
  }

  package func flush(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, reply: consuming EmptyReply
  ) {
    reply.fail(.notImplemented)
  }

  package func copyRange(
    _ context: RequestContext, from source: CopyEnd, to target: CopyEnd, byteCount: UInt64,
    reply: consuming WriteReply
  ) {
    reply.fail(.notImplemented)
  }

  package func unmounted() {}
}
