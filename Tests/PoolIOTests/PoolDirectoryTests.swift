import Glibc
import StorageModel
import Testing

@testable import PoolIO

@Suite struct PoolDirectoryTests {
  private func open(_ path: String) throws -> PoolDirectory {
    try PoolDirectory.open(path: path, newID: pool)
  }

  /// The words of the error that opening gives.
  private func refusal(_ path: String) throws -> String {
    try #require(throws: StoreError.self) { try open(path) }.explanation
  }

  @Test func `A pool is made in a new or empty directory and keeps its identity`() throws {
    let directory = try TemporaryDirectory()
    for path in [directory.path, "\(directory.path)/keys/new/"] {
      if path != directory.path { mkdir("\(directory.path)/keys", 0o700) }
      do {
        let made = try open(path)
        #expect(made.id == pool)
        #expect(made.description.formatVersion == 1)
        #expect(made.description.created.hasSuffix("Z"))
        try made.checkPresence()
      }
      let again = try PoolDirectory.open(path: path, newID: PoolID(UUIDValue(high: 1, low: 2)))
      #expect(again.id == pool)
      var status = stat()
      #expect(stat(again.keysPath, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o700)
    }
  }

  @Test func `A second daemon is refused and told who has the pool`() throws {
    let directory = try TemporaryDirectory()
    let first = try open(directory.path)
    let text = try refusal(directory.path)
    #expect(text.contains("in use by process \(getpid())"))
    withExtendedLifetime(first) {}
  }

  @Test func `The lock ends with its holder`() throws {
    let directory = try TemporaryDirectory()
    for _ in 0..<3 { _ = try open(directory.path) }
    #expect(try readFile("\(directory.path)/LOCK") == Array("\(getpid())\n".utf8))
  }

  @Test func `A newer format is refused with both versions`() throws {
    let directory = try TemporaryDirectory()
    _ = try open(directory.path)
    let path = "\(directory.path)/pool.json"
    let text = String(decoding: try readFile(path), as: UTF8.self)
    try writeFile(
      path, Array(text.replacing("\"formatVersion\": 1", with: "\"formatVersion\": 2").utf8))
    let words = try refusal(directory.path)
    #expect(words.contains("format version 2") && words.contains("knows 1"))
  }

  @Test(arguments: [
    "", "{", "{}", "[]", "{\"formatVersion\": 1}", "{\"formatVersion\": \"1\"}",
    "{\"formatVersion\": 1, \"id\": \"x\", \"created\": \"\"}",
    "{\"formatVersion\": 1, \"id\": \"11112222-3333-4444-9555-666677778888\"}",
    "{\"formatVersion\": 1 \"id\": 2}", "{\"formatVersion\": 99999999999999999999}", "{} x",
    "{\"a\": \"\\u0000\"}", "\u{0}\u{1}",
  ])
  func `A description that cannot be read is corruption, never a new pool`(text: String) throws {
    let directory = try TemporaryDirectory()
    _ = try open(directory.path)
    try writeFile("\(directory.path)/pool.json", Array(text.utf8))
    let error = try #require(throws: StoreError.self) { try open(directory.path) }
    guard case .corrupt(let corruption) = error else {
      Issue.record("expected corruption, found \(error)")
      return
    }
    #expect(corruption.place.hasSuffix("pool.json"))
  }

  @Test func `A description with members of later versions is read`() throws {
    let directory = try TemporaryDirectory()
    let text = """
      { "zone" : "a", "formatVersion":1,"more":5,
        "id": "11112222-3333-4444-9555-666677778888", "created": "then" }
      """
    try writeFile("\(directory.path)/pool.json", Array(text.utf8))
    #expect(try open(directory.path).id == pool)
  }

  @Test func `A directory of something else is left alone`() throws {
    let directory = try TemporaryDirectory()
    try writeFile("\(directory.path)/photo.jpg", [1])
    #expect(try refusal(directory.path).contains("no pool.json"))
    #expect(try names(in: directory.path) == ["photo.jpg"])
  }

  @Test func `A making that was cut short is taken up again`() throws {
    let directory = try TemporaryDirectory()
    try writeFile("\(directory.path)/LOCK", [])
    try writeFile("\(directory.path)/pool.json.new", [1, 2, 3])
    #expect(try open(directory.path).id == pool)
  }

  @Test func `A path that is a file, or below one, or without a parent is refused with the reason`()
    throws
  {
    let directory = try TemporaryDirectory()
    try writeFile("\(directory.path)/file", [1])
    #expect(try refusal("\(directory.path)/file").contains("Not a directory"))
    #expect(try refusal("\(directory.path)/file/pool").contains("Not a directory"))
    #expect(try refusal("\(directory.path)/a/b").contains("No such file or directory"))
  }

  @Test func `A pool on a read-only file system is refused as such`() throws {
    guard let disk = try SmallFileSystem(megabytes: 1) else { return }  // needs to mount
    _ = try open("\(disk.path)/pool")
    #expect(disk.makeReadOnly())
    let error = try #require(throws: StoreError.self) { try open("\(disk.path)/pool") }
    guard case .readOnly(let reason) = error else {
      Issue.record("expected read-only, found \(error)")
      return
    }
    #expect(reason.contains("Read-only file system"))
  }

  @Test func `A pool that vanished or was replaced is noticed`() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/pool"
    let made = try open(path)
    #expect(rename(path, path + "2") == 0)
    #expect(throws: StoreError.self) { try made.checkPresence() }
    mkdir(path, 0o700)
    #expect(throws: StoreError.self) { try made.checkPresence() }
  }
}
