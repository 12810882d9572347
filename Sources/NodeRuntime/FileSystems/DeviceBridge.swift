import FUSEServer
import StorageModel
import VFS

/// Shows a block volume as a directory of three files: `data` is the device (object 0, as large
/// as the volume), `README.txt` and `.galleonfs_metadata` say what it is.
///
/// A loop device on `data` with direct I/O turns it into a block device. Nothing can be made,
/// renamed or removed here.
final class DeviceBridge: FileSystemHandler {
  private let volume: VolumeHost
  private let readme: [UInt8]
  private let metadata: [UInt8]

  private enum Entry: UInt64, CaseIterable {
    case root = 1
    case data = 2
    case readme = 3
    case metadata = 4

    var name: String {
      switch self {
      case .root: "."
      case .data: "data"
      case .readme: "README.txt"
      case .metadata: ".galleonfs_metadata"
      }
    }

    static let files: [Entry] = [.data, .readme, .metadata]
  }

  init(volume: VolumeHost) {
    self.volume = volume
    let specification = volume.specification
    readme = Array(
      """
      This directory shows the block volume \(specification.name).

      data                 the volume's device, \(specification.capacityBytes) bytes when mounted
      .galleonfs_metadata  what the volume is, as JSON

      Write to data as to a disk, or attach a loop device to it.

      """.utf8)
    metadata = Array(
      """
      {"id":"\(specification.id)","name":"\(specification.name)",\
      "blockSizeBytes":\(specification.blockSize.byteCount),\
      "storageClass":"\(specification.storageClassName)",\
      "encryption":"\(specification.encryption.rawValue)"}

      """.utf8)
  }

  private func attributes(of entry: Entry) -> FileAttributes {
    let size: UInt64 =
      switch entry {
      case .root: 0
      case .data: volume.specification.capacityBytes
      case .readme: UInt64(readme.count)
      case .metadata: UInt64(metadata.count)
      }
    let time = volume.createdAt
    return FileAttributes(
      inode: InodeNumber(entry.rawValue), kind: entry == .root ? .directory : .regular,
      permissions: entry == .root ? 0o755 : entry == .data ? 0o600 : 0o444,
      linkCount: entry == .root ? 2 : 1, userID: 0, groupID: 0, device: 0, sizeBytes: size,
      allocatedBytes: entry == .data ? volume.usedBytes : 0, accessed: time, modified: time,
      changed: time, created: time,
      blockByteCount: UInt32(volume.specification.blockSize.byteCount))
  }

  private func entry(_ inode: InodeNumber) -> Entry? { Entry(rawValue: inode.rawValue) }

  // MARK: Names and attributes

  func lookup(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EntryReply
  ) {
    let text = String(decoding: name, as: UTF8.self)
    guard let found = Entry.files.first(where: { $0.name == text }) else {
      reply.absent()
      return
    }
    reply.entry(attributes(of: found))
  }

  func forget(inode: InodeNumber, count: UInt64) {}

  func getAttributes(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle?,
    reply: consuming AttributesReply
  ) {
    guard let entry = entry(inode) else {
      reply.fail(.noEntry)
      return
    }
    reply.attributes(attributes(of: entry))
  }

  /// As a device does, `data` ignores being cut to nothing on open and refuses any other size.
  func setAttributes(
    _ context: RequestContext, inode: InodeNumber, changes: AttributeChanges, handle: FileHandle?,
    reply: consuming AttributesReply
  ) {
    guard let entry = entry(inode) else {
      reply.fail(.noEntry)
      return
    }
    let attributes = attributes(of: entry)
    if changes.permissions != nil || changes.userID != nil || changes.groupID != nil {
      reply.fail(.notPermitted)
    } else if let size = changes.sizeBytes, size != 0, size != attributes.sizeBytes {
      reply.fail(.invalid)
    } else {
      reply.attributes(attributes)
    }
  }

  func statistics(_ context: RequestContext, reply: consuming StatisticsReply) {
    let size = UInt64(volume.specification.blockSize.byteCount)
    let total = volume.specification.capacityBytes / size
    reply.statistics(
      FileSystemStatistics(
        blockByteCount: UInt32(size), totalBlocks: total,
        freeBlocks: total - min(total, volume.usedBytes / size), totalInodes: 4, freeInodes: 0,
        maximumNameByteCount: 255))
  }

  // MARK: Directory

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
    let dots: [(name: String, entry: Entry)] = [(".", .root), ("..", .root)]
    let all = dots + Entry.files.map { ($0.name, $0) }
    for (index, item) in all.enumerated().dropFirst(Int(clamping: position)) {
      let attributes = attributes(of: item.entry)
      let fits = Array(item.name.utf8).withUnsafeBytes { name in
        index < dots.count
          ? reply.add(
            name: name, inode: attributes.inode, kind: .directory, nextPosition: UInt64(index + 1))
          : reply.add(name: name, attributes: attributes, nextPosition: UInt64(index + 1))
      }
      if !fits { break }
    }
    reply.finish()
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
    finish(reply) { () throws(StoreError) in try volume.sync() }
  }

  // MARK: Data

  func open(
    _ context: RequestContext, inode: InodeNumber, flags: OpenFlags, reply: consuming OpenReply
  ) {
    guard entry(inode) == .data || !flags.allowsWriting else {
      reply.fail(.accessDenied)
      return
    }
    reply.opened(.none)
  }

  func release(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, flags: OpenFlags,
    reply: consuming EmptyReply
  ) {
    reply.done()
  }

  func read(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    byteCount: Int, reply: consuming DataReply
  ) {
    switch entry(inode) {
    case .data:
      do throws(StoreError) {
        let count = try volume.readDevice(
          at: offsetBytes,
          into: UnsafeMutableRawBufferPointer(rebasing: context.scratch[..<byteCount]))
        reply.data(UnsafeRawBufferPointer(rebasing: context.scratch[..<count]))
      } catch {
        reply.fail(answer(to: error, "read"))
      }
    case .readme: reply.data(context.stage(Self.part(of: readme, offsetBytes, byteCount)))
    case .metadata: reply.data(context.stage(Self.part(of: metadata, offsetBytes, byteCount)))
    case .root: reply.fail(.isDirectory)
    case nil: reply.fail(.noEntry)
    }
  }

  private static func part(
    of text: [UInt8], _ offsetBytes: UInt64, _ byteCount: Int
  ) -> [UInt8] {
    Array(text.dropFirst(Int(clamping: offsetBytes)).prefix(byteCount))
  }

  func write(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    data: RequestBytes, flags: WriteFlags, reply: consuming WriteReply
  ) {
    guard entry(inode) == .data else {
      reply.fail(.accessDenied)
      return
    }
    do throws(StoreError) {
      let count = try volume.writeDevice(data, at: offsetBytes, scratch: context.scratch)
      if flags.contains(.synchronous) { try volume.sync() }
      reply.written(byteCount: count)
    } catch {
      reply.fail(answer(to: error, "write"))
    }
  }

  func sync(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, dataOnly: Bool,
    reply: consuming EmptyReply
  ) {
    finish(reply) { () throws(StoreError) in try volume.sync() }
  }

  /// Discard: what the loop device sends as punched hole gives its space back.
  func allocate(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle,
    mode: FUSEServer.AllocationMode, offsetBytes: UInt64, byteCount: UInt64,
    reply: consuming EmptyReply
  ) {
    let discards = mode.contains(.punchHole) || mode.contains(.zeroRange)
    guard entry(inode) == .data, discards else {
      reply.fail(.notSupported)
      return
    }
    finish(reply) { () throws(StoreError) in
      try volume.discardDevice(at: offsetBytes, byteCount: byteCount)
    }
  }

  func seek(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    target: FUSEServer.SeekTarget, reply: consuming SeekReply
  ) {
    reply.fail(.notSupported)
  }

  private func finish(_ reply: consuming EmptyReply, _ body: () throws(StoreError) -> Void) {
    do throws(StoreError) {
      try body()
      reply.done()
    } catch {
      reply.fail(answer(to: error, "device"))
    }
  }

  private func answer(to error: StoreError, _ operation: StaticString) -> FileError {
    volume.report(error, during: operation)
    return FileSystemFailure.store(error).fileError
  }
}

/// What a device directory refuses: its three files are all there ever is.
extension DeviceBridge {
  func readLink(_ context: RequestContext, inode: InodeNumber, reply: consuming DataReply) {
    reply.fail(.invalid)
  }

  func makeNode(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, kind: FileKind,
    permissions: UInt32, device: UInt32, reply: consuming EntryReply
  ) {
    reply.fail(.notPermitted)
  }

  func makeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    reply: consuming EntryReply
  ) {
    reply.fail(.notPermitted)
  }

  func unlink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) {
    reply.fail(.notPermitted)
  }

  func removeDirectory(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) {
    reply.fail(.notPermitted)
  }

  func symbolicLink(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, target: RequestBytes,
    reply: consuming EntryReply
  ) {
    reply.fail(.notPermitted)
  }

  func rename(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, newParent: InodeNumber,
    newName: RequestBytes, flags: FUSEServer.RenameFlags, reply: consuming EmptyReply
  ) {
    reply.fail(.notPermitted)
  }

  func link(
    _ context: RequestContext, inode: InodeNumber, newParent: InodeNumber, newName: RequestBytes,
    reply: consuming EntryReply
  ) {
    reply.fail(.notPermitted)
  }

  func create(
    _ context: RequestContext, parent: InodeNumber, name: RequestBytes, permissions: UInt32,
    flags: OpenFlags, reply: consuming CreateReply
  ) {
    reply.fail(.notPermitted)
  }

  func setExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, value: RequestBytes,
    mode: AttributeWriteMode, reply: consuming EmptyReply
  ) {
    reply.fail(.notSupported)
  }

  func getExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes,
    reply: consuming ExtendedAttributeReply
  ) {
    reply.fail(.notSupported)
  }

  func listExtendedAttributes(
    _ context: RequestContext, inode: InodeNumber, reply: consuming ExtendedAttributeReply
  ) {
    reply.fail(.notSupported)
  }

  func removeExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) {
    reply.fail(.notSupported)
  }
}
