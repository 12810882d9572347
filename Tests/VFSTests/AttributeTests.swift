import IOSeams
import StorageModel
import Testing

@testable import VFS

@Suite struct AttributeTests {
  @Test func `changes are made as asked and only the rest is left`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let time = Timestamp(seconds: -5, nanoseconds: 999_999_999)
    let before = try volume.attributes(file)
    let after = try volume.set(file) {
      $0.permissions = 0o7421
      $0.accessed = .at(time)
      $0.modified = .now
    }
    #expect(after.permissions == 0o7421 && after.accessed == time)
    #expect(after.modified == volume.lastTime && after.changed == volume.lastTime)
    #expect(after.userID == before.userID && after.created == before.created)
    try volume.reload()
    #expect(try volume.attributes(file) == after)
  }

  @Test func `the kernel's own change time is taken`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let time = Timestamp(seconds: 77, nanoseconds: 0)
    #expect(try volume.set(file) { $0.changed = time }.changed == time)
  }

  @Test func `a new owner loses the privileges of a program but not of a directory`() throws {
    var volume = try Volume()
    let program = try volume.create("a", 0o6755)
    #expect(try volume.set(program) { $0.userID = 5 }.permissions == 0o755)
    let locked = try volume.create("b", 0o2744)
    #expect(try volume.set(locked) { $0.groupID = 5 }.permissions == 0o2744)
    let directory = try volume.makeDirectory("d", 0o2755)
    #expect(try volume.set(directory) { $0.groupID = 5 }.permissions == 0o2755)
  }

  @Test func `mode and owner set together keep the mode`() throws {
    var volume = try Volume()
    let program = try volume.create("a")
    let after = try volume.set(program) {
      $0.userID = 5
      $0.permissions = 0o4755
    }
    #expect(after.permissions == 0o4755)
  }

  @Test func `a truncation drops privileges when told, a write too`() throws {
    var volume = try Volume()
    let program = try volume.create("a", 0o4755)
    #expect(try volume.set(program) { $0.sizeBytes = 10 }.permissions == 0o4755)
    let after = try volume.set(program) {
      $0.sizeBytes = 20
      $0.dropsPrivileges = true
    }
    #expect(after.permissions == 0o755)
    _ = try volume.set(program) { $0.permissions = 0o6755 }
    try volume.write([1], to: program, at: 0, .dropsPrivileges)
    #expect(try volume.attributes(program).permissions == 0o755)
  }

  @Test func `capabilities go with them`() throws {
    var volume = try Volume()
    let program = try volume.create("a")
    let name = volume.bytes("security.capability")
    for change in [
      { (volume: inout Volume) in _ = try volume.set(program) { $0.userID = 5 } },
      { (volume: inout Volume) in try volume.write([1], to: program, at: 0, .dropsPrivileges) },
    ] {
      try volume.system.setXattr(
        name, of: program, to: [1], store: &volume.store, for: volume.request())
      try change(&volume)
      #expect(
        try fileError { _ = try volume.system.xattr(name, of: program, store: volume.store) }
          == .noData)
      #expect(try volume.system.xattrNames(of: program, store: volume.store) == [])
    }
  }

  @Test func `statistics count blocks and inodes`() throws {
    var volume = try Volume(MemoryStore(capacityBlocks: 2000))
    let file = try volume.create("a")
    _ = try volume.makeDirectory("d")
    try volume.write([1], to: file)
    let statistics = volume.system.statistics(volume.store)
    #expect(statistics.totalBlocks == 2000 && statistics.freeBlocks == 1999)
    #expect(statistics.totalInodes == 2000 && statistics.freeInodes == 1997)
    #expect(statistics.blockByteCount == 4096 && statistics.maximumNameByteCount == 255)
  }
}

@Suite struct XattrTests {
  private func set(
    _ volume: inout Volume, _ name: String, _ value: [UInt8], of inode: InodeNumber,
    _ flags: XattrFlags = []
  ) throws {
    try volume.system.setXattr(
      volume.bytes(name), of: inode, to: value, flags: flags, store: &volume.store,
      for: volume.request())
  }

  private func get(_ volume: inout Volume, _ name: String, of inode: InodeNumber) throws -> [UInt8]
  {
    try volume.system.xattr(volume.bytes(name), of: inode, store: volume.store)
  }

  @Test(arguments: [64, 1] as [UInt64])
  func `attributes are kept as given, whether or not hashes collide`(hashBits: UInt64) throws {
    var store = MemoryStore()
    store.hashBitCount = hashBits
    var volume = try Volume(store)
    let file = try volume.create("a")
    let names = ["user.a", "trusted.b", "security.selinux", "system.posix_acl_access"]
    for (index, name) in names.enumerated() {
      try set(&volume, name, Array(repeating: UInt8(index), count: index), of: file)
    }
    try set(&volume, "user.a", [9], of: file)
    try volume.reload()
    #expect(try get(&volume, "user.a", of: file) == [9])
    #expect(try get(&volume, "trusted.b", of: file) == [1])
    let stored = try volume.system.xattrNames(of: file, store: volume.store)
    #expect(Set(stored) == Set(names.map(volume.bytes)))
    for name in names {
      try volume.system.removeXattr(
        volume.bytes(name), of: file, store: &volume.store, for: volume.request())
    }
    #expect(try volume.system.xattrNames(of: file, store: volume.store) == [])
    try volume.unlink("a")
    #expect(volume.store.keys.count == 2)
  }

  @Test func `create wants a new name and replace an old one`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    #expect(try fileError { try set(&volume, "user.a", [], of: file, .replace) } == .noData)
    try set(&volume, "user.a", [1], of: file, .create)
    #expect(try fileError { try set(&volume, "user.a", [], of: file, .create) } == .exists)
    try set(&volume, "user.a", [2], of: file, .replace)
    #expect(try get(&volume, "user.a", of: file) == [2])
    #expect(try fileError { _ = try get(&volume, "user.b", of: file) } == .noData)
    #expect(
      try fileError {
        try volume.system.removeXattr(
          volume.bytes("user.b"), of: file, store: &volume.store, for: volume.request())
      } == .noData)
  }

  @Test func `names and values have limits`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let name = String(repeating: "n", count: 255)
    try set(&volume, name, Array(repeating: 1, count: 65_536), of: file)
    #expect(try get(&volume, name, of: file).count == 65_536)
    #expect(try fileError { try set(&volume, name + "n", [], of: file) } == .outOfRange)
    #expect(try fileError { try set(&volume, "", [], of: file) } == .outOfRange)
    let tooLong = [UInt8](repeating: 1, count: 65_537)
    #expect(try fileError { try set(&volume, "user.a", tooLong, of: file) } == .outOfRange)
  }

  @Test func `a file without attributes answers without a read`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let reads = volume.store.valueCallCount
    #expect(try fileError { _ = try get(&volume, "security.capability", of: file) } == .noData)
    #expect(try volume.system.xattrNames(of: file, store: volume.store) == [])
    #expect(volume.store.valueCallCount == reads)
  }

  @Test func `attributes go with their file`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    let directory = try volume.makeDirectory("d")
    try set(&volume, "user.a", [1], of: file)
    try set(&volume, "user.a", [1], of: directory)
    try volume.unlink("a")
    try volume.removeDirectory("d")
    #expect(volume.store.keys.count == 2)
  }
}
