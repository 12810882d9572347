package import IOSeams
package import StorageModel

/// Where the bytes of a read lie.
package struct ReadPlan: Hashable, Sendable {
  package var object: ObjectNumber
  package var offsetBytes: UInt64
  /// What was asked for, cut at the end of the file: 0 behind it.
  package var byteCount: Int
}

/// A write whose whole blocks already lie in a segment; what sticks out at its ends does not.
package struct DirectWrite {
  package var offsetBytes: UInt64
  /// Bytes from `offsetBytes` to the first whole block; empty if it starts there.
  package var head: UnsafeRawBufferPointer
  /// The whole blocks, one extent after the other.
  package var extents: [PreparedExtent]
  /// Bytes behind the last whole block; empty if it ends there.
  package var tail: UnsafeRawBufferPointer

  package init(
    offsetBytes: UInt64, head: UnsafeRawBufferPointer, extents: [PreparedExtent],
    tail: UnsafeRawBufferPointer
  ) {
    self.offsetBytes = offsetBytes
    self.head = head
    self.extents = extents
    self.tail = tail
  }
}

extension FileSystem {
  /// What to read for read(2). The bytes themselves come from the engine.
  package mutating func planRead(
    _ number: InodeNumber, at offsetBytes: UInt64, byteCount: Int, store: some VolumeStore
  ) throws(FileSystemFailure) -> ReadPlan {
    let inode = try regularFile(number, Change(counters: counters), store)
    let available = inode.sizeBytes.decreased(by: offsetBytes)
    return ReadPlan(
      object: number.object, offsetBytes: offsetBytes,
      byteCount: Int(min(UInt64(max(0, byteCount)), available)))
  }

  /// Writes at most `Transaction.maximumInlineByteCount` bytes, which the record carries.
  package mutating func write(
    _ bytes: UnsafeRawBufferPointer, to number: InodeNumber, at offsetBytes: UInt64,
    options: WriteOptions = [], store: inout some VolumeStore, for request: FileRequest
  ) throws(FileSystemFailure) {
    guard bytes.count <= Transaction.maximumInlineByteCount else { throw .posix(.invalid) }
    guard !bytes.isEmpty else { return }
    let mutation = Mutation.write(
      object: number.object, offsetBytes: offsetBytes, bytes: bytes)
    try record(
      [mutation], to: number, at: offsetBytes, byteCount: UInt64(bytes.count), options, &store,
      request)
  }

  /// Makes a direct write part of the file. On an error the extents stay the caller's.
  package mutating func commitWrite(
    _ write: DirectWrite, to number: InodeNumber, options: WriteOptions = [],
    store: inout some VolumeStore, for request: FileRequest
  ) throws(FileSystemFailure) {
    var data: [Mutation] = []
    var offset = write.offsetBytes
    func appendInline(_ bytes: UnsafeRawBufferPointer) throws(FileSystemFailure) {
      guard !bytes.isEmpty else { return }
      data.append(.write(object: number.object, offsetBytes: offset, bytes: bytes))
      offset = try Self.sum(offset, UInt64(bytes.count))
    }
    try appendInline(write.head)
    let blockMask = UInt64(store.blockSize.byteCount - 1)
    for extent in write.extents {
      guard offset & blockMask == 0, extent.blockCount > 0 else { throw .posix(.invalid) }
      data.append(
        .map(
          object: number.object, firstBlock: store.blockSize.block(holding: offset),
          extent: extent))
      offset = try Self.sum(offset, UInt64(extent.blockCount) << UInt64(store.blockSize.shift))
    }
    try appendInline(write.tail)
    guard !data.isEmpty else { return }
    try record(
      data, to: number, at: write.offsetBytes, byteCount: offset - write.offsetBytes, options,
      &store, request)
  }

  /// The first byte of data, or of a hole, at or after an offset. `ENXIO` if the offset is not
  /// inside the file or no data follows; the end of the file counts as a hole.
  package mutating func seek(
    _ target: SeekTarget, in number: InodeNumber, from offsetBytes: UInt64,
    store: some VolumeStore
  ) throws(FileSystemFailure) -> UInt64 {
    let inode = try regularFile(number, Change(counters: counters), store)
    guard offsetBytes < inode.sizeBytes else { throw .posix(.noDeviceOrAddress) }
    let limit = BlockNumber(
      min(inode.blockEnd, store.blockSize.blockCount(holding: inode.sizeBytes)))
    let start = store.blockSize.block(holding: offsetBytes)
    var found: BlockNumber?
    if start < limit {
      do {
        found = try store.firstBlock(
          in: number.object, from: start, below: limit, mapped: target == .data)
      } catch {
        throw .store(error)
      }
    } else if target == .hole {
      return offsetBytes
    }
    if target == .data, found == nil { throw .posix(.noDeviceOrAddress) }
    let offset = (found ?? limit).rawValue << UInt64(store.blockSize.shift)
    return min(max(offset, offsetBytes), inode.sizeBytes)
  }

  /// Commits data with the size, times and counts that follow from it.
  private mutating func record(
    _ data: [Mutation], to number: InodeNumber, at offsetBytes: UInt64, byteCount: UInt64,
    _ options: WriteOptions, _ store: inout some VolumeStore, _ request: FileRequest
  ) throws(FileSystemFailure) {
    let end = try Self.sum(offsetBytes, byteCount)
    try freeStaleBlocks(of: number, before: end, &store)
    try once(request, &store) { system, change, store throws(FileSystemFailure) in
      let stored = try system.regularFile(number, change, store)
      var inode = stored
      change.data = data
      try system.occupy(Self.blocks(offsetBytes, end, store.blockSize), of: &inode, store)
      inode.sizeBytes = max(inode.sizeBytes, end)
      if options.contains(.dropsPrivileges) {
        inode.dropPrivilegeBits()
        try system.dropCapabilities(of: &inode, &change, store)
      }
      if !options.contains(.keepsTimes) { inode.touch(request.now) }
      if inode != stored { change.put(inode) }
    }
  }

  /// A regular file; `EISDIR` for a directory, `EINVAL` for anything else.
  mutating func regularFile(
    _ number: InodeNumber, _ change: Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> Inode {
    let inode = try inode(number, change, store)
    guard inode.kind == .regular else {
      throw .posix(inode.isDirectory ? .isDirectory : .invalid)
    }
    return inode
  }

  /// The end of a range; `EFBIG` beyond the largest file.
  static func sum(_ offset: UInt64, _ count: UInt64) throws(FileSystemFailure) -> UInt64 {
    let (end, overflows) = offset.addingReportingOverflow(count)
    guard !overflows, end <= Inode.maximumByteCount else { throw .posix(.fileTooBig) }
    return end
  }

  /// The blocks that hold a range of bytes, in part or whole.
  static func blocks(_ start: UInt64, _ end: UInt64, _ blockSize: BlockSize) -> Range<UInt64> {
    blockSize.block(holding: start).rawValue..<blockSize.blockCount(holding: end)
  }
}
