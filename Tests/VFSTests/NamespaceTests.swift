import IOSeams
import StorageModel
import Testing

@testable import VFS

@Suite struct NamespaceTests {
  @Test func `a formatted volume has a root and formatting it again changes nothing`() throws {
    var volume = try Volume()
    let before = volume.store.keys
    try FileSystem.format(&volume.store, now: Timestamp(seconds: 5000, nanoseconds: 0))
    #expect(volume.store.keys == before)
    let root = try volume.attributes(.root)
    #expect(root.kind == .directory && root.permissions == 0o755 && root.linkCount == 2)
    #expect(try volume.lookup("..").inode == .root)
    #expect(try volume.lookup(".").inode == .root)
  }

  @Test func `a volume that was never formatted does not load`() {
    #expect(throws: FileSystemFailure.self) { try FileSystem(loading: MemoryStore()) }
  }

  @Test func `a created file has its creator, its mode and one link`() throws {
    var volume = try Volume()
    let inode = try volume.create("a", 0o640)
    let attributes = try volume.lookup("a")
    #expect(attributes.inode == inode && attributes.kind == .regular)
    #expect(attributes.permissions == 0o640 && attributes.linkCount == 1)
    #expect(attributes.userID == 1000 && attributes.groupID == 100)
    #expect(attributes.sizeBytes == 0 && attributes.allocatedBytes == 0)
    #expect(attributes.created == volume.lastTime && attributes.changed == volume.lastTime)
    #expect(try volume.attributes(.root).modified == volume.lastTime)
    #expect(volume.system.counters.files == 1 && volume.system.counters.directories == 1)
  }

  @Test func `creating costs one record and looking up one read of the name`() throws {
    var volume = try Volume()
    _ = try volume.create("a")
    let (commits, reads) = (volume.store.commitCount, volume.store.valueCallCount)
    _ = try volume.create("b")
    #expect(volume.store.commitCount == commits + 1)
    #expect(volume.store.valueCallCount <= reads + 1)
    let before = volume.store.valueCallCount
    _ = try volume.lookup("b")
    #expect(volume.store.valueCallCount == before + 1)
  }

  @Test func `inode numbers are never given out twice, not even after a restart`() throws {
    var volume = try Volume()
    let first = try volume.create("a")
    try volume.unlink("a")
    try volume.reload()
    #expect(try volume.create("a") > first)
  }

  @Test(arguments: [
    ("", FileError.invalid), (".", .invalid), ("..", .invalid), ("a/b", .invalid),
    (String(repeating: "n", count: 256), .nameTooLong),
  ])
  func `a name that no file can have is refused`(name: String, error: FileError) throws {
    var volume = try Volume()
    #expect(try fileError { _ = try volume.create(name) } == error)
    #expect(try fileError { _ = try volume.makeDirectory(name) } == error)
    _ = try volume.create("x")
    #expect(try fileError { try volume.rename("x", to: name) } == error)
    #expect(try fileError { try volume.unlink(name) } == error)
  }

  @Test func `a name with a NUL is refused`() throws {
    var volume = try Volume()
    #expect(try fileError { _ = try volume.create("a\0b") } == .invalid)
  }

  @Test func `the longest name works`() throws {
    var volume = try Volume()
    let name = String(repeating: "n", count: 255)
    let inode = try volume.create(name)
    #expect(try volume.lookup(name).inode == inode)
    #expect(try fileError { _ = try volume.lookup(name + "n") } == .nameTooLong)
  }

  @Test func `a taken name is refused and a missing one is not found`() throws {
    var volume = try Volume()
    _ = try volume.create("a")
    #expect(try fileError { _ = try volume.create("a") } == .exists)
    #expect(try fileError { _ = try volume.makeDirectory("a") } == .exists)
    #expect(try fileError { _ = try volume.lookup("b") } == .noEntry)
    #expect(try fileError { try volume.unlink("b") } == .noEntry)
    #expect(try fileError { _ = try volume.attributes(InodeNumber(99)) } == .stale)
  }

  @Test func `a file is no directory`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    #expect(try fileError { _ = try volume.create("b", in: file) } == .notDirectory)
    #expect(try fileError { try volume.removeDirectory("a") } == .notDirectory)
    #expect(try fileError { _ = try volume.names(in: file) } == .notDirectory)
  }

  @Test func `a set-group-ID directory passes on its group, and to directories the bit`() throws {
    var volume = try Volume()
    let directory = try volume.makeDirectory("d")
    _ = try volume.set(directory) {
      $0.groupID = 7
      $0.permissions = 0o2775
    }
    let file = try volume.attributes(try volume.create("f", in: directory))
    #expect(file.groupID == 7 && file.permissions == 0o644)
    let child = try volume.attributes(try volume.makeDirectory("c", in: directory))
    #expect(child.groupID == 7 && child.permissions == 0o2755)
  }

  @Test func `a directory's links count its subdirectories`() throws {
    var volume = try Volume()
    let directory = try volume.makeDirectory("d")
    _ = try volume.makeDirectory("e", in: directory)
    _ = try volume.create("f", in: directory)
    #expect(try volume.attributes(directory).linkCount == 3)
    #expect(try volume.attributes(.root).linkCount == 3)
    #expect(try volume.lookup("..", in: directory).inode == .root)
    #expect(try fileError { try volume.removeDirectory("d") } == .directoryNotEmpty)
    #expect(try fileError { try volume.unlink("d") } == .isDirectory)
    try volume.removeDirectory("e", in: directory)
    try volume.unlink("f", in: directory)
    try volume.removeDirectory("d")
    #expect(try volume.attributes(.root).linkCount == 2)
    #expect(volume.system.counters.directories == 1 && volume.system.counters.files == 0)
    #expect(try fileError { _ = try volume.create("x", in: directory) } == .stale)
  }

  @Test func `a removed directory that is open takes no new names`() throws {
    var volume = try Volume()
    let directory = try volume.makeDirectory("d")
    _ = try volume.system.open(directory, store: volume.store)
    try volume.removeDirectory("d")
    #expect(try volume.attributes(directory).linkCount == 0)
    #expect(try fileError { _ = try volume.create("x", in: directory) } == .noEntry)
    #expect(try volume.names(in: directory) == [".", ".."])
    try volume.system.release(directory, store: &volume.store)
    #expect(try fileError { _ = try volume.attributes(directory) } == .stale)
    #expect(volume.store.keys.count == 2)
  }

  @Test func `hard links share the file until the last one goes`() throws {
    var volume = try Volume()
    let inode = try volume.create("a")
    try volume.link(inode, "b")
    #expect(try volume.lookup("b").linkCount == 2)
    #expect(try volume.attributes(inode).changed == volume.lastTime)
    try volume.unlink("a")
    #expect(try volume.lookup("b").linkCount == 1)
    #expect(volume.system.counters.files == 1)
    try volume.unlink("b")
    #expect(try fileError { _ = try volume.attributes(inode) } == .stale)
    #expect(volume.system.counters.files == 0)
  }

  @Test func `a directory has no second name and a file at most 65,000`() throws {
    var volume = try Volume()
    let directory = try volume.makeDirectory("d")
    #expect(try fileError { try volume.link(directory, "e") } == .notPermitted)
    let file = try volume.create("a")
    #expect(try fileError { try volume.link(file, "a") } == .exists)
    var inode = try Inode(
      decoding: try #require(volume.store.keys[Keys.inode(file)]), number: file)
    inode.linkCount = 65_000
    volume.store.overwrite(Keys.inode(file), with: inode.encoded)
    try volume.reload()
    #expect(try fileError { try volume.link(file, "b") } == .tooManyLinks)
  }

  @Test func `a symbolic link keeps its target`() throws {
    var volume = try Volume()
    let target = [UInt8](repeating: 120, count: 4095)
    let link = try volume.system.makeSymbolicLink(
      volume.bytes("l"), in: .root, target: target, store: &volume.store, for: volume.request())
    #expect(link.sizeBytes == 4095 && link.kind == .symbolicLink)
    #expect(try volume.system.readLink(link.inode, store: volume.store) == target)
    #expect(
      try fileError { _ = try volume.system.readLink(.root, store: volume.store) } == .invalid)
    let tooLong = target + [120]
    let error = try fileError {
      _ = try volume.system.makeSymbolicLink(
        volume.bytes("m"), in: .root, target: tooLong, store: &volume.store, for: volume.request())
    }
    #expect(error == .nameTooLong)
  }

  @Test func `device files, pipes and sockets keep their kind`() throws {
    var volume = try Volume()
    for kind in [FileKind.fifo, .socket, .characterDevice, .blockDevice] {
      let file = FileSystem.NewFile(kind: kind, permissions: 0o600, device: 0x0801)
      _ = try volume.system.make(
        file, named: volume.bytes("\(kind)"), in: .root, store: &volume.store,
        for: volume.request())
      try volume.reload()
      let attributes = try volume.lookup("\(kind)")
      #expect(attributes.kind == kind)
      #expect(attributes.device == (kind == .fifo || kind == .socket ? 0 : 0x0801))
    }
  }

  @Test func `inodes run out at their limit and come back`() throws {
    var volume = try Volume(MemoryStore(capacityBlocks: 8))
    for number in 0..<1023 { _ = try volume.create("f\(number)") }
    #expect(volume.system.statistics(volume.store).freeInodes == 0)
    #expect(try fileError { _ = try volume.create("one more") } == .noSpace)
    try volume.unlink("f0")
    #expect(volume.system.statistics(volume.store).freeInodes == 1)
    _ = try volume.create("one more")
  }

  @Test func `a failed commit leaves everything as it was`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write([1, 2, 3], to: file)
    let (keys, counters) = (volume.store.keys, volume.system.counters)
    volume.store.commitsUntilFailure = 0
    #expect(try fileError { _ = try volume.create("b") } == .inputOutput)
    #expect(try fileError { try volume.unlink("a") } == .inputOutput)
    #expect(try fileError { try volume.rename("a", to: "c") } == .inputOutput)
    #expect(try fileError { try volume.write([9], to: file) } == .inputOutput)
    #expect(try fileError { try volume.truncate(file, to: 1) } == .inputOutput)
    volume.store.commitsUntilFailure = nil
    #expect(volume.store.keys == keys && volume.system.counters == counters)
    #expect(try volume.read(file) == [1, 2, 3])
    #expect(try volume.names() == [".", "..", "a"])
  }

  @Test func `an entry whose inode is missing is an input-output error`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    volume.store.overwrite(Keys.inode(file), with: nil)
    try volume.reload()
    #expect(try fileError { _ = try volume.lookup("a") } == .inputOutput)
  }
}
