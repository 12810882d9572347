import IOSeams
import StorageModel
import Testing

@testable import VFS

@Suite struct RenameTests {
  @Test func `a renamed file keeps its inode`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let directory = try volume.makeDirectory("d")
    let commits = volume.store.commitCount
    try volume.rename("a", to: "b", in: directory)
    #expect(volume.store.commitCount == commits + 1)
    #expect(try volume.lookup("b", in: directory).inode == file)
    #expect(try volume.attributes(file).changed == volume.lastTime)
    #expect(try volume.names() == [".", "..", "d"])
    #expect(try volume.attributes(directory).modified == volume.lastTime)
  }

  @Test func `a rename onto a file replaces it and frees its blocks`() throws {
    var volume = try Volume()
    let old = try volume.create("old")
    try volume.write([1], to: old)
    let new = try volume.create("new")
    try volume.rename("new", to: "old")
    #expect(try volume.lookup("old").inode == new)
    #expect(try fileError { _ = try volume.attributes(old) } == .stale)
    #expect(volume.store.usedBlocks == 0 && volume.system.counters.files == 1)
  }

  @Test func `a file that is open outlives its replacement`() throws {
    var volume = try Volume()
    let old = try volume.create("old")
    try volume.write([1], to: old)
    _ = try volume.system.open(old, store: volume.store)
    _ = try volume.create("new")
    try volume.rename("new", to: "old")
    #expect(try volume.read(old) == [1])
    try volume.system.release(old, store: &volume.store)
    #expect(volume.store.usedBlocks == 0)
  }

  @Test func `kinds must match and a replaced directory must be empty`() throws {
    var volume = try Volume()
    _ = try volume.create("f")
    let full = try volume.makeDirectory("full")
    _ = try volume.create("x", in: full)
    let empty = try volume.makeDirectory("empty")
    #expect(try fileError { try volume.rename("f", to: "empty") } == .isDirectory)
    #expect(try fileError { try volume.rename("empty", to: "f") } == .notDirectory)
    #expect(try fileError { try volume.rename("empty", to: "full") } == .directoryNotEmpty)
    try volume.rename("full", to: "empty")
    #expect(try volume.lookup("empty").inode == full)
    #expect(try fileError { _ = try volume.attributes(empty) } == .stale)
    #expect(try volume.attributes(.root).linkCount == 3)
    #expect(volume.system.counters.directories == 2)
  }

  @Test func `two names of one file are left alone`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.link(file, "b")
    try volume.rename("a", to: "b")
    #expect(try volume.names().sorted() == [".", "..", "a", "b"])
    try volume.rename("a", to: "a")
    #expect(try volume.lookup("a").linkCount == 2)
  }

  @Test func `a moved directory knows its new parent`() throws {
    var volume = try Volume()
    let first = try volume.makeDirectory("a")
    let second = try volume.makeDirectory("b")
    try volume.rename("a", to: "c", in: second)
    #expect(try volume.lookup("..", in: first).inode == second)
    #expect(try volume.attributes(second).linkCount == 3)
    #expect(try volume.attributes(.root).linkCount == 3)
  }

  @Test func `a directory cannot be moved below itself`() throws {
    var volume = try Volume()
    let first = try volume.makeDirectory("a")
    let second = try volume.makeDirectory("b", in: first)
    #expect(try fileError { try volume.rename("a", to: "x", in: first) } == .invalid)
    #expect(try fileError { try volume.rename("a", to: "x", in: second) } == .invalid)
    #expect(
      try fileError { try volume.rename("a", to: "b", in: first, .exchange) } == .invalid)
  }

  @Test func `noReplace refuses a taken name and exchange needs one`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let other = try volume.create("b")
    #expect(try fileError { try volume.rename("a", to: "b", .noReplace) } == .exists)
    #expect(try fileError { try volume.rename("a", to: "c", .exchange) } == .noEntry)
    #expect(try fileError { try volume.rename("z", to: "c") } == .noEntry)
    try volume.rename("a", to: "c", .noReplace)
    try volume.rename("c", to: "b", .exchange)
    #expect(try volume.lookup("b").inode == file)
    #expect(try volume.lookup("c").inode == other)
  }

  @Test(arguments: [3, 4, 5, 8] as [UInt32])
  func `flags that mean nothing are refused`(flags: UInt32) throws {
    var volume = try Volume()
    _ = try volume.create("a")
    #expect(
      try fileError { try volume.rename("a", to: "b", RenameFlags(rawValue: flags)) } == .invalid)
  }

  @Test func `a file and a directory can be exchanged across directories`() throws {
    var volume = try Volume()
    let parent = try volume.makeDirectory("p")
    let directory = try volume.makeDirectory("d", in: parent)
    let file = try volume.create("f")
    try volume.rename("f", to: "d", in: parent, .exchange)
    #expect(try volume.lookup("f").inode == directory)
    #expect(try volume.lookup("d", in: parent).inode == file)
    #expect(try volume.lookup("..", in: directory).inode == .root)
    #expect(try volume.attributes(.root).linkCount == 4)
    #expect(try volume.attributes(parent).linkCount == 2)
    try volume.removeDirectory("f")
    try volume.unlink("d", in: parent)
    try volume.removeDirectory("p")
    #expect(volume.store.keys.count == 2)
  }

  @Test func `names that share a hash do not disturb each other`() throws {
    var store = MemoryStore()
    store.hashBitCount = 1
    var volume = try Volume(store)
    for name in ["a", "b", "c", "d"] { _ = try volume.create(name) }
    let moved = try volume.lookup("a").inode
    let kept = try volume.lookup("b").inode
    try volume.rename("a", to: "c")
    try volume.rename("c", to: "d", .exchange)
    try volume.reload()
    #expect(try volume.lookup("d").inode == moved)
    #expect(try volume.lookup("b").inode == kept)
    #expect(try Set(volume.names()) == [".", "..", "b", "c", "d"])
  }

  @Test func `at most 256 names share a hash`() throws {
    var store = MemoryStore()
    store.hashBitCount = 0
    var volume = try Volume(store)
    for number in 0..<256 { _ = try volume.create("n\(number)") }
    #expect(try fileError { _ = try volume.create("one more") } == .noSpace)
    try volume.unlink("n100")
    _ = try volume.create("one more")
    #expect(try volume.names(pageCount: 10).count == 258)
  }
}
