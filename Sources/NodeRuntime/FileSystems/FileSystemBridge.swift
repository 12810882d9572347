import FUSEServer
import StorageModel
import VFS

/// Serves a volume's file system to the kernel: FUSE requests in, VFS operations out.
///
/// Every method runs on a reader thread of the session: it takes the volume's lock for the logic,
/// lets go, and answers on the same thread. Nothing here waits for the network.
final class FileSystemBridge: FileSystemHandler {
  let volume: VolumeHost
  /// Names the mount in kept replies, so that a repeated request is carried out once; nil where
  /// the mount dies with the daemon and nothing is ever repeated.
  let session: UInt64?

  /// Names of entries fetched together for one answer to readdirplus.
  private static let directoryBatchCount = 64

  init(volume: VolumeHost, session: UInt64?) {
    self.volume = volume
    self.session = session
  }

  func unmounted() { volume.mountEnded() }

  func fileRequest(_ context: RequestContext) -> FileRequest {
    FileRequest(
      caller: context.caller, now: .now(),
      identity: session.map {
        VFS.RequestIdentity(
          session: $0, sequence: context.identity.number,
          mayBeRepeated: context.identity.isResend)
      })
  }

  /// The caller's answer; what it does not tell goes to the log.
  func answer(to failure: FileSystemFailure, _ operation: StaticString) -> FileError {
    if case .store(let error) = failure { volume.report(error, during: operation) }
    return failure.fileError
  }

  // MARK: Names

  func lookup(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EntryReply
  ) {
    do throws(FileSystemFailure) {
      reply.entry(
        try volume.look { files, engine throws(FileSystemFailure) in
          try files.lookup([UInt8](name), in: parent, store: engine)
        })
    } catch .posix(.noEntry) {
      reply.absent()
    } catch {
      reply.fail(answer(to: error, "lookup"))
    }
  }

  func forget(inode: InodeNumber, count: UInt64) {
    guard volume.hasOrphans else { return }
    do throws(FileSystemFailure) {
      try volume.change { files, engine throws(FileSystemFailure) in
        try files.forget(inode, store: &engine)
      }
      volume.reclaimSoon()
    } catch {
      _ = answer(to: error, "forget")
    }
  }

  func makeNode(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, kind: FileKind,
    permissions: UInt32, device: UInt32, reply: consuming EntryReply
  ) {
    let file = FileSystem.NewFile(kind: kind, permissions: permissions, device: device)
    make(file, context, parent, name, "mknod", reply)
  }

  func makeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    reply: consuming EntryReply
  ) {
    let file = FileSystem.NewFile(kind: .directory, permissions: permissions)
    make(file, context, parent, name, "mkdir", reply)
  }

  func symbolicLink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, target: RequestBytes,
    reply: consuming EntryReply
  ) {
    let file = FileSystem.NewFile(
      kind: .symbolicLink, permissions: 0o777, target: [UInt8](target))
    make(file, context, parent, name, "symlink", reply)
  }

  private func make(
    _ file: FileSystem.NewFile, _ context: RequestContext, _ parent: InodeNumber,
    _ name: RequestBytes, _ operation: StaticString, _ reply: consuming EntryReply
  ) {
    let request = fileRequest(context)
    do throws(FileSystemFailure) {
      reply.entry(
        try volume.change { files, engine throws(FileSystemFailure) in
          try files.make(
            file, named: [UInt8](name), in: parent, store: &engine, for: request)
        })
    } catch {
      reply.fail(answer(to: error, operation))
    }
  }

  func link(
    _ context: RequestContext, inode: InodeNumber, newParent: InodeNumber, newName: RequestBytes,
    reply: consuming EntryReply
  ) {
    let request = fileRequest(context)
    do throws(FileSystemFailure) {
      reply.entry(
        try volume.change { files, engine throws(FileSystemFailure) in
          try files.link(
            inode, as: [UInt8](newName), in: newParent, store: &engine, for: request)
        })
    } catch {
      reply.fail(answer(to: error, "link"))
    }
  }

  func unlink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) {
    let request = fileRequest(context)
    finish("unlink", reply) { files, engine throws(FileSystemFailure) in
      try files.unlink([UInt8](name), in: parent, store: &engine, for: request)
    }
    volume.reclaimSoon()
  }

  func removeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) {
    let request = fileRequest(context)
    finish("rmdir", reply) { files, engine throws(FileSystemFailure) in
      try files.removeDirectory([UInt8](name), in: parent, store: &engine, for: request)
    }
  }

  func rename(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, newParent: InodeNumber,
    newName: RequestBytes, flags: FUSEServer.RenameFlags, reply: consuming EmptyReply
  ) {
    let request = fileRequest(context)
    finish("rename", reply) { files, engine throws(FileSystemFailure) in
      try files.rename(
        FileSystem.Place([UInt8](name), in: parent),
        to: FileSystem.Place([UInt8](newName), in: newParent),
        flags: VFS.RenameFlags(rawValue: flags.rawValue), store: &engine, for: request)
    }
    volume.reclaimSoon()
  }

  /// Carries out a change that answers with nothing.
  func finish(
    _ operation: StaticString, _ reply: consuming EmptyReply, _ body: VolumeHost.Change<Void>
  ) {
    do throws(FileSystemFailure) {
      try volume.change(body)
      reply.done()
    } catch {
      reply.fail(answer(to: error, operation))
    }
  }

  // MARK: Attributes

  func getAttributes(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle?,
    reply: consuming AttributesReply
  ) {
    do throws(FileSystemFailure) {
      reply.attributes(
        try volume.look { files, engine throws(FileSystemFailure) in
          try files.attributes(of: inode, store: engine)
        })
    } catch {
      reply.fail(answer(to: error, "getattr"))
    }
  }

  func setAttributes(
    _ context: RequestContext, inode: InodeNumber, changes: AttributeChanges, handle: FileHandle?,
    reply: consuming AttributesReply
  ) {
    let request = fileRequest(context)
    do throws(FileSystemFailure) {
      reply.attributes(
        try volume.change { files, engine throws(FileSystemFailure) in
          try files.setAttributes(of: inode, changes, store: &engine, for: request)
        })
      if changes.sizeBytes != nil { volume.reclaimSoon() }
    } catch {
      reply.fail(answer(to: error, "setattr"))
    }
  }

  func readLink(_ context: RequestContext, inode: InodeNumber, reply: consuming DataReply) {
    do throws(FileSystemFailure) {
      let target = try volume.look { files, engine throws(FileSystemFailure) in
        try files.readLink(inode, store: engine)
      }
      reply.data(context.stage(target))
    } catch {
      reply.fail(answer(to: error, "readlink"))
    }
  }

  func statistics(_ context: RequestContext, reply: consuming StatisticsReply) {
    reply.statistics(volume.fileSystemStatistics)
  }

  // MARK: Directories

  func openDirectory(
    _ context: RequestContext, inode: InodeNumber, flags: OpenFlags, reply: consuming OpenReply
  ) {
    reply.opened(.none)
  }

  func readDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, position: UInt64,
    reply: consuming DirectoryReply
  ) {
    var reply = reply
    do throws(FileSystemFailure) {
      if reply.includesAttributes {
        try volume.look { files, engine throws(FileSystemFailure) in
          try files.readDirectoryPlus(
            inode, after: position, batchCount: Self.directoryBatchCount, store: engine
          ) { entry, attributes in
            entry.name.withUnsafeBytes {
              entry.isDots
                ? reply.add(
                  name: $0, inode: entry.inode, kind: entry.kind, nextPosition: entry.position)
                : reply.add(name: $0, attributes: attributes, nextPosition: entry.position)
            }
          }
        }
      } else {
        try volume.look { files, engine throws(FileSystemFailure) in
          try files.readDirectory(inode, after: position, store: engine) { entry in
            entry.name.withUnsafeBytes {
              reply.add(
                name: $0, inode: entry.inode, kind: entry.kind, nextPosition: entry.position)
            }
          }
        }
      }
      reply.finish()
    } catch {
      reply.fail(answer(to: error, "readdir"))
    }
  }

  func releaseDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, reply: consuming EmptyReply
  ) {
    reply.done()
  }

  func syncDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, dataOnly: Bool,
    reply: consuming EmptyReply
  ) {
    sync(reply)
  }

  func sync(_ reply: consuming EmptyReply) {
    do throws(StoreError) {
      try volume.sync()
      reply.done()
    } catch {
      reply.fail(answer(to: .store(error), "fsync"))
    }
  }
}

extension RequestContext {
  /// Lays bytes into the request's scratch memory, for a reply that is sent at once.
  func stage(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
    let target = UnsafeMutableRawBufferPointer(rebasing: scratch[..<bytes.count])
    target.copyBytes(from: bytes)
    return UnsafeRawBufferPointer(target)
  }
}

extension DirectoryEntry {
  /// `.` and `..`, which give the kernel no reference to an inode.
  fileprivate var isDots: Bool {
    name == [UInt8(ascii: ".")] || name == [UInt8(ascii: "."), UInt8(ascii: ".")]
  }
}
