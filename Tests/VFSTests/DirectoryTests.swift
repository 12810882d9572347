import IOSeams
import StorageModel
import Testing

@testable import VFS

@Suite struct DirectoryTests {
  @Test(arguments: [1, 2, 3, 7, 1000])
  func `each name is listed once, however small the pages`(pageCount: Int) throws {
    var store = MemoryStore()
    store.hashBitCount = 3
    var volume = try Volume(store)
    let names = (0..<40).map { "file\($0)" }
    for name in names { _ = try volume.create(name) }
    let listed = try volume.names(pageCount: pageCount)
    #expect(listed.prefix(2) == [".", ".."])
    #expect(listed.dropFirst(2).sorted() == names.sorted())
  }

  @Test func `names that stay are listed once while others come and go`() throws {
    var store = MemoryStore()
    store.hashBitCount = 2
    var volume = try Volume(store)
    let kept = (0..<30).map { "kept\($0)" }
    for name in kept {
      _ = try volume.create(name)
      _ = try volume.create("x" + name)
    }
    var seen: [String] = []
    var position: UInt64 = 0
    var step = 0
    while true {
      var next: DirectoryEntry?
      try volume.system.readDirectory(.root, after: position, store: volume.store) {
        next = $0
        return false
      }
      guard let entry = next else { break }
      position = entry.position
      seen.append(String(decoding: entry.name, as: UTF8.self))
      if step < kept.count { try volume.unlink("x" + kept[step]) }
      step += 1
      if step < 200 { _ = try volume.create("y\(step)") }
    }
    #expect(seen.filter { $0.hasPrefix("kept") }.sorted() == kept.sorted())
    #expect(Set(seen).count == seen.count)
  }

  @Test func `entries tell kind and inode, and plus their attributes`() throws {
    var volume = try Volume()
    let directory = try volume.makeDirectory("d")
    let file = try volume.create("f", in: directory)
    var found: [String: (DirectoryEntry, FileAttributes)] = [:]
    for batchCount in [0, 1, 2, 100] {
      found = [:]
      try volume.system.readDirectoryPlus(
        directory, after: 0, batchCount: batchCount, store: volume.store
      ) { entry, attributes in
        found[String(decoding: entry.name, as: UTF8.self)] = (entry, attributes)
        return true
      }
      #expect(found.count == 3)
    }
    #expect(found["."]?.1.inode == directory && found[".."]?.1.inode == .root)
    #expect(found["f"]?.0.inode == file && found["f"]?.0.kind == .regular)
    #expect(found["f"]?.1 == (try volume.attributes(file)))
  }

  @Test func `plus stops where the visitor stops`() throws {
    var volume = try Volume()
    for number in 0..<10 { _ = try volume.create("\(number)") }
    var taken: [DirectoryEntry] = []
    var position: UInt64 = 0
    var isDone = false
    while !isDone {
      isDone = true
      var count = 0
      try volume.system.readDirectoryPlus(
        .root, after: position, batchCount: 5, store: volume.store
      ) { entry, _ in
        guard count < 3 else {
          isDone = false
          return false
        }
        count += 1
        taken.append(entry)
        position = entry.position
        return true
      }
    }
    #expect(taken.count == 12 && Set(taken.map(\.name)).count == 12)
  }

  @Test(arguments: [UInt64(Int64.max), UInt64(Int64.max) - 1, .max])
  func `behind the last position there is nothing`(position: UInt64) throws {
    var volume = try Volume()
    _ = try volume.create("a")
    var count = 0
    try volume.system.readDirectory(.root, after: position, store: volume.store) { _ in
      count += 1
      return true
    }
    #expect(count == 0)
  }

  @Test func `a rotten entry is an input-output error`() throws {
    var volume = try Volume()
    _ = try volume.create("a")
    let key = try #require(volume.store.keys.keys.first { $0.bytes[0] == UInt8(ascii: "D") })
    volume.store.overwrite(key, with: [1, 0])
    #expect(try fileError { _ = try volume.names() } == .inputOutput)
    #expect(try fileError { _ = try volume.lookup("a") } == .inputOutput)
  }
}

@Suite struct ReplayTests {
  private func identity(_ sequence: UInt64, isRepeated: Bool) -> RequestIdentity {
    RequestIdentity(session: 4, sequence: sequence, mayBeRepeated: isRepeated)
  }

  @Test func `a request that is sent again after a crash is answered, not carried out`() throws {
    var volume = try Volume()
    let first = volume.request(identity(1, isRepeated: false))
    let made = try volume.system.create(
      [97], in: .root, permissions: 0o600, store: &volume.store, for: first)
    let second = volume.request(identity(2, isRepeated: false))
    try volume.system.rename(
      .init([97], in: .root), to: .init([98], in: .root), store: &volume.store, for: second)
    try volume.reload()

    let again = try volume.system.create(
      [97], in: .root, permissions: 0o600, store: &volume.store,
      for: volume.request(identity(1, isRepeated: true)))
    #expect(again.inode == made.inode)
    try volume.system.rename(
      .init([97], in: .root), to: .init([98], in: .root), store: &volume.store,
      for: volume.request(identity(2, isRepeated: true)))
    #expect(try volume.names() == [".", "..", "b"])
    #expect(volume.system.counters.files == 1)
  }

  @Test func `a request that never arrived is carried out when it is sent again`() throws {
    var volume = try Volume()
    _ = try volume.system.create(
      [97], in: .root, permissions: 0o600, store: &volume.store,
      for: volume.request(identity(1 + 256, isRepeated: false)))
    _ = try volume.system.create(
      [98], in: .root, permissions: 0o600, store: &volume.store,
      for: volume.request(identity(1, isRepeated: true)))
    #expect(try volume.names().sorted() == [".", "..", "a", "b"])
  }

  @Test func `kept replies are bounded and go with their session`() throws {
    var volume = try Volume()
    for sequence in 0..<600 as Range<UInt64> {
      let name = volume.bytes("n\(sequence % 2)")
      let request = volume.request(identity(sequence, isRepeated: false))
      if sequence % 4 < 2 {
        _ = try volume.system.create(
          name, in: .root, permissions: 0, store: &volume.store, for: request)
      } else {
        try volume.system.unlink(name, in: .root, store: &volume.store, for: request)
      }
    }
    #expect(volume.store.keys.count == 2 + 256)
    try volume.system.endSession(5, store: &volume.store)
    #expect(volume.store.keys.count == 2 + 256)
    try volume.system.endSession(4, store: &volume.store)
    #expect(volume.store.keys.count == 2)
  }
}
