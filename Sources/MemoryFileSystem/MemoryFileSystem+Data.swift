package import FUSEServer
package import StorageModel
internal import Synchronization

extension MemoryFileSystem {
  /// The largest file, so that a wild offset is an error and not all of the memory.
  private static let maximumFileByteCount = 1 << 32

  package func open(
    _ context: RequestContext, inode: InodeNumber, flags: OpenFlags, reply: consuming OpenReply
  ) {
    reply.opened(.none)
  }

  package func release(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, flags: OpenFlags,
    reply: consuming EmptyReply
  ) {
    reply.done()
  }

  package func sync(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, dataOnly: Bool,
    reply: consuming EmptyReply
  ) {
    reply.done()
  }

  package func read(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    byteCount: Int, reply: consuming DataReply
  ) {
    let scratch = context.scratch
    let readCount = tree.withLock { tree -> Int in
      guard let data = tree.files[inode]?.data, offsetBytes < data.count else { return 0 }
      let start = Int(offsetBytes)
      let end = min(data.count, start + min(byteCount, scratch.count))
      data.withUnsafeBytes {
        scratch.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<end]))
      }
      return end - start
    }
    reply.data(UnsafeRawBufferPointer(rebasing: scratch[..<readCount]))
  }

  package func write(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    data: RequestBytes, flags: WriteFlags, reply: consuming WriteReply
  ) {
    guard offsetBytes <= UInt64(Self.maximumFileByteCount - data.count) else {
      reply.fail(.fileTooBig)
      return
    }
    let start = Int(offsetBytes)
    let exists = tree.withLock { tree in
      tree.files[inode]?.write(data, at: start, dropsPrivileges: flags.contains(.dropsPrivileges))
        != nil
    }
    if exists { reply.written(byteCount: data.count) } else { reply.fail(.noEntry) }
  }

  package func allocate(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, mode: AllocationMode,
    offsetBytes: UInt64, byteCount: UInt64, reply: consuming EmptyReply
  ) {
    guard mode.subtracting([.keepSize, .punchHole, .zeroRange]).isEmpty else {
      reply.fail(.notSupported)
      return
    }
    let (end, overflows) = offsetBytes.addingReportingOverflow(byteCount)
    guard !overflows, end <= UInt64(Self.maximumFileByteCount) else {
      reply.fail(.fileTooBig)
      return
    }
    tree.withLock { tree in
      tree.files[inode]?.allocate(mode, Int(offsetBytes)..<Int(end), now: Self.now())
    }
    reply.done()
  }

  package func seek(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, offsetBytes: UInt64,
    target: SeekTarget, reply: consuming SeekReply
  ) {
    let size = tree.withLock { $0.files[inode]?.attributes.sizeBytes ?? 0 }
    guard offsetBytes < size else {
      reply.fail(.noDeviceOrAddress)
      return
    }
    reply.found(atOffsetBytes: target == .data ? offsetBytes : size)
  }
}

extension MemoryFile {
  mutating func write(_ bytes: UnsafeRawBufferPointer, at start: Int, dropsPrivileges: Bool) {
    let end = start + bytes.count
    if data.count < start {
      data.append(contentsOf: repeatElement(0, count: start - data.count))
    }
    if data.count == start {
      data.append(contentsOf: bytes)
    } else {
      if data.count < end { data.append(contentsOf: repeatElement(0, count: end - data.count)) }
      data.withUnsafeMutableBytes {
        UnsafeMutableRawBufferPointer(rebasing: $0[start..<end]).copyMemory(from: bytes)
      }
    }
    if dropsPrivileges {
      attributes.permissions &= attributes.permissions & 0o010 != 0 ? 0o1777 : 0o3777
    }
    contentChanged(MemoryFileSystem.now())
  }

  mutating func allocate(_ mode: AllocationMode, _ range: Range<Int>, now: Timestamp) {
    if !mode.contains(.keepSize), range.upperBound > data.count {
      data.append(contentsOf: repeatElement(0, count: range.upperBound - data.count))
    }
    if mode.contains(.punchHole) || mode.contains(.zeroRange) {
      for index in range.clamped(to: 0..<data.count) { data[index] = 0 }
    }
    contentChanged(now)
  }
}
