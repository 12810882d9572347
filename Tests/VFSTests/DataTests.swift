import IOSeams
import StorageModel
import Testing

@testable import VFS

@Suite struct DataTests {
  private static let block = 4096

  @Test(arguments: [1, block - 1, block, block + 1, 5 * block])
  func `what was written is read, cut at the end of the file`(count: Int) throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 + 1) }
    try volume.write(content, to: file)
    #expect(try volume.read(file) == content)
    let attributes = try volume.attributes(file)
    #expect(attributes.sizeBytes == UInt64(count))
    #expect(attributes.allocatedBytes == UInt64((count + Self.block - 1) / Self.block * Self.block))
    #expect(attributes.modified == volume.lastTime && attributes.changed == volume.lastTime)
    #expect(try volume.read(file, at: UInt64(count), count: 10) == [])
    #expect(try volume.read(file, at: UInt64(count - 1), count: 10) == [content[count - 1]])
  }

  @Test func `a write far behind the end leaves a hole`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write([1], to: file, at: 10 << 30)
    let attributes = try volume.attributes(file)
    #expect(attributes.sizeBytes == 10 << 30 + 1 && attributes.allocatedBytes == 4096)
    #expect(try volume.read(file, at: 0, count: 3) == [0, 0, 0])
  }

  @Test func `a rewrite of what is there asks for no block and no read`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write(Array(repeating: 1, count: 3 * Self.block), to: file)
    let reads = volume.store.valueCallCount
    try volume.write([2], to: file, at: 5000)
    #expect(volume.store.valueCallCount == reads)
    #expect(try volume.attributes(file).allocatedBytes == 3 * 4096)
  }

  @Test func `a write that keeps times changes nothing but bytes`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write([1, 2], to: file)
    let before = volume.store.keys
    try volume.write([3], to: file, at: 1, .keepsTimes)
    #expect(volume.store.keys == before)
    #expect(try volume.read(file) == [1, 3])
  }

  @Test func `an empty write does nothing`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let commits = volume.store.commitCount
    try volume.write([], to: file, at: 100)
    #expect(volume.store.commitCount == commits)
    #expect(try volume.attributes(file).sizeBytes == 0)
  }

  @Test func `a write behind the largest file is refused`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    #expect(
      try fileError { try volume.write([1], to: file, at: Inode.maximumByteCount) } == .fileTooBig)
    #expect(try fileError { try volume.write([1], to: file, at: .max) } == .fileTooBig)
    #expect(try fileError { try volume.truncate(file, to: .max) } == .fileTooBig)
    try volume.truncate(file, to: Inode.maximumByteCount)
    try volume.write([1], to: file, at: Inode.maximumByteCount - 1)
    #expect(try volume.attributes(file).allocatedBytes == 4096)
    try volume.unlink("a")
    #expect(volume.store.usedBlocks == 0)
  }

  @Test func `data is for regular files only`() throws {
    var volume = try Volume()
    #expect(try fileError { try volume.write([1], to: .root) } == .isDirectory)
    #expect(try fileError { _ = try volume.read(.root) } == .isDirectory)
    #expect(try fileError { try volume.truncate(.root, to: 0) } == .isDirectory)
    let link = try volume.system.makeSymbolicLink(
      volume.bytes("l"), in: .root, target: [120], store: &volume.store, for: volume.request())
    #expect(try fileError { try volume.write([1], to: link.inode) } == .invalid)
  }

  @Test func `a full volume refuses exactly the block too many and stays usable`() throws {
    var volume = try Volume(MemoryStore(capacityBlocks: 4))
    let file = try volume.create("a")
    try volume.write(Array(repeating: 1, count: 4 * Self.block), to: file)
    #expect(try fileError { try volume.write([1], to: file, at: 4 * 4096) } == .noSpace)
    #expect(try volume.attributes(file).sizeBytes == 4 * 4096)
    try volume.write([2], to: file)
    _ = try volume.create("b")
    try volume.truncate(file, to: 4096)
    #expect(volume.system.statistics(volume.store).freeBlocks == 3)
    try volume.write([1], to: file, at: 4 * 4096)
  }

  @Test func `a shorter file forgets its end, and growing it again shows zeros`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write(Array(repeating: 9, count: 2 * Self.block), to: file)
    try volume.truncate(file, to: 10)
    #expect(try volume.attributes(file).allocatedBytes == 4096)
    try volume.truncate(file, to: 3 * 4096)
    let expected =
      Array(repeating: 9 as UInt8, count: 10) + Array(repeating: 0, count: 3 * 4096 - 10)
    #expect(try volume.read(file) == expected)
    #expect(try volume.attributes(file).allocatedBytes == 4096)
    try volume.truncate(file, to: 0)
    #expect(try volume.attributes(file).allocatedBytes == 0 && volume.store.usedBlocks == 0)
  }

  @Test func `a direct write maps whole blocks and carries its ragged ends`() throws {
    var volume = try Volume()
    let file = try volume.create("a", 0o6755)
    volume.store.segments[3] = (0..<3 * Self.block).map { UInt8(truncatingIfNeeded: $0 / 100) }
    let extents = [(0, 1), (1, 2)].map { start, count in
      PreparedExtent(
        location: SegmentLocation(segment: 3, offsetBytes: UInt64(start * Self.block)),
        blockCount: count, sealLSN: LSN(1), incarnation: Incarnation(1), epoch: .first, tags: [])
    }
    let (head, tail): ([UInt8], [UInt8]) = ([1, 2], [3, 4, 5])
    let request = volume.request()
    try head.withUnsafeBytes { head in
      try tail.withUnsafeBytes { tail in
        let write = DirectWrite(offsetBytes: 4094, head: head, extents: extents, tail: tail)
        try volume.system.commitWrite(
          write, to: file, options: .dropsPrivileges, store: &volume.store, for: request)
      }
    }
    let attributes = try volume.attributes(file)
    #expect(attributes.sizeBytes == 4 * 4096 + 3 && attributes.allocatedBytes == 5 * 4096)
    #expect(attributes.permissions == 0o755)
    #expect(try volume.read(file, at: 4094, count: 2) == [1, 2])
    #expect(try volume.read(file, at: 4096, count: 3 * 4096) == volume.store.segments[3])
    #expect(try volume.read(file, at: 4 * 4096) == [3, 4, 5])
  }

  @Test func `a direct write whose blocks would not be aligned is refused`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let extent = PreparedExtent(
      location: SegmentLocation(segment: 3, offsetBytes: 0), blockCount: 1, sealLSN: LSN(1),
      incarnation: Incarnation(1), epoch: .first, tags: [])
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    let error = try fileError {
      try volume.system.commitWrite(
        DirectWrite(offsetBytes: 1, head: none, extents: [extent], tail: none), to: file,
        store: &volume.store, for: volume.request())
    }
    #expect(error == .invalid)
  }

  @Test func `seek finds data and holes`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write([1], to: file, at: 2 * 4096)
    try volume.truncate(file, to: 5 * 4096 + 7)
    func seek(_ target: SeekTarget, _ offset: UInt64) throws -> UInt64 {
      try volume.system.seek(target, in: file, from: offset, store: volume.store)
    }
    #expect(try seek(.data, 0) == 8192)
    #expect(try seek(.data, 9000) == 9000)
    #expect(try seek(.hole, 0) == 0)
    #expect(try seek(.hole, 8200) == 12288)
    #expect(try seek(.hole, 5 * 4096 + 6) == 5 * 4096 + 6)
    #expect(try fileError { _ = try seek(.data, 3 * 4096) } == .noDeviceOrAddress)
    #expect(try fileError { _ = try seek(.hole, 5 * 4096 + 7) } == .noDeviceOrAddress)
    try volume.truncate(file, to: 2 * 4096 + 5)
    #expect(try seek(.hole, 8192) == 8197)
  }

  @Test func `the whole file's last data ends in the hole at its end`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write([1, 2, 3], to: file)
    #expect(try volume.system.seek(.hole, in: file, from: 1, store: volume.store) == 3)
    let empty = try volume.create("b")
    #expect(
      try fileError {
        _ = try volume.system.seek(.data, in: empty, from: 0, store: volume.store)
      } == .noDeviceOrAddress)
  }
}
