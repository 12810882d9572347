import Foundation
import NodeRuntime
import StorageModel
import Testing

/// Bits that rot on disk, and what may and may not be found there.
@Suite(.serialized) struct DamageTests {
  private static let blockByteCount = 4096

  private static func flipBit(in path: String, at offset: Int) throws {
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    try file.seek(toOffset: UInt64(offset))
    let byte = try #require(try file.read(upToCount: 1)?.first)
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: [byte ^ 0x10])
    try file.close()
  }

  @Test(arguments: [EncryptionAlgorithm.none, .aes256GCM])
  func `a flipped bit in a segment is an error of its block alone`(
    _ encryption: EncryptionAlgorithm
  ) async throws {
    let fixture = try NodeFixture()
    defer { fixture.remove() }
    let specification = NodeFixture.specification(
      capacityBytes: 4 << 20, content: .block, encryption: encryption)
    let content = (0..<256).flatMap {
      [UInt8](repeating: UInt8($0), count: Self.blockByteCount)
    }
    let first = try fixture.open()
    try await first.createReplica(specification)
    try await first.writeDevice(specification.id, content, at: 0, durably: true)
    await first.shutdown(leavingMounts: false)

    let segments = try fixture.segmentPaths(of: specification.id)
    try Self.flipBit(in: try #require(segments.first), at: 20 * Self.blockByteCount + 77)

    let second = try fixture.open()
    var damaged: [Int] = []
    for block in 0..<content.count / Self.blockByteCount {
      let offset = block * Self.blockByteCount
      do {
        let bytes = try await second.readDevice(
          specification.id, at: UInt64(offset), byteCount: Self.blockByteCount)
        #expect(bytes == Array(content[offset..<offset + Self.blockByteCount]))
      } catch {
        guard case .store(.corrupt) = error else { throw error }
        damaged.append(block)
      }
    }
    #expect(damaged.count == 1)
    let named = try await second.status(of: specification.id).corruptBlocks
    #expect(named.count == 1)
    let block = try #require(damaged.first)
    #expect(named.first?.contains("block \(block)") == true)

    // Written again, the block is good again.
    try await second.writeDevice(
      specification.id, [UInt8](repeating: 1, count: Self.blockByteCount),
      at: UInt64(block * Self.blockByteCount), durably: true)
    #expect(try await second.status(of: specification.id).corruptBlocks.isEmpty)
    await second.shutdown(leavingMounts: false)
  }

  @Test func `a flipped bit amid the synced journal is refused, not taken for its end`()
    async throws
  {
    let fixture = try NodeFixture()
    defer { fixture.remove() }
    let specification = NodeFixture.specification(capacityBytes: 4 << 20, content: .block)
    let marker = Array("this record lies in the middle of the journal".utf8)
    let node = try fixture.open()
    try await node.createReplica(specification)
    for block in 0..<30 {
      let bytes = block == 10 ? marker : [UInt8](repeating: UInt8(block), count: 100)
      try await node.writeDevice(
        specification.id, bytes, at: UInt64(block * Self.blockByteCount), durably: true)
    }
    // At rest, so the copy is what a kill would leave.
    let copy = try NodeFixture()
    defer { copy.remove() }
    try FileManager.default.copyItem(atPath: fixture.storagePath, toPath: copy.storagePath)
    let intact = try NodeFixture()
    defer { intact.remove() }
    try FileManager.default.copyItem(atPath: fixture.storagePath, toPath: intact.storagePath)
    await node.shutdown(leavingMounts: false)

    let journal = try copy.files(below: "pool/journal")
    let place = try #require(
      journal.lazy.compactMap { path -> (String, Int)? in
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        return bytes.firstRange(of: Data(marker)).map { (path, $0.lowerBound) }
      }.first)
    try Self.flipBit(in: place.0, at: place.1)
    do throws(any Error) {
      let opened = try copy.open()
      await opened.shutdown(leavingMounts: false)
      Issue.record("the damaged journal was accepted")
    } catch let error as NodeError {
      guard case .store(.corrupt(let corruption)) = error else { throw error }
      #expect("\(corruption)".contains("journal"))
      #expect("\(corruption)".contains("synced"))
    }

    let reopened = try intact.open()
    #expect(
      try await reopened.readDevice(
        specification.id, at: UInt64(10 * Self.blockByteCount), byteCount: marker.count) == marker)
    await reopened.shutdown(leavingMounts: false)
  }

  @Test func `nothing of an encrypted volume can be read in its pool`() async throws {
    let fixture = try NodeFixture()
    defer { fixture.remove() }
    let secret = NodeFixture.specification(name: "secret", encryption: .aes256GCM)
    let plain = NodeFixture.specification(name: "plain")
    let node = try fixture.open()
    for (specification, prefix) in [(secret, "SECRET"), (plain, "PUBLIC")] {
      try await node.createReplica(specification)
      let path = fixture.mountPoint(specification.name)
      _ = try await node.mount(specification.id, MountRequest(path: path))
      let file = "\(path)/\(prefix)-file-name-4711"
      try Data("\(prefix)-small-content-4711".utf8).write(to: URL(filePath: file))
      let large = Data("\(prefix)-large-content-4711 ".utf8)
      try Data((0..<20_000).flatMap { _ in large }).write(to: URL(filePath: "\(path)/large"))
      let value = Array("\(prefix)-xattr-value-4711".utf8)
      try Self.setAttribute("user.\(prefix)-xattr-name", to: value, of: file)
      try FileManager.default.createSymbolicLink(
        atPath: "\(path)/link", withDestinationPath: "\(prefix)-symlink-target-4711")
      try FileManager.default.createDirectory(
        atPath: "\(path)/\(prefix)-directory-4711", withIntermediateDirectories: false)
    }
    // Once with the data in the journal, once at home.
    try await node.sync(nil)
    try expectSecrecy(below: fixture.storagePath)
    try await node.checkpoint()
    await node.shutdown(leavingMounts: false)
    try expectSecrecy(below: fixture.storagePath)
  }

  /// setxattr(2), which Glibc's module leaves out.
  private static func setAttribute(_ name: String, to value: [UInt8], of path: String) throws {
    typealias Call =
      @convention(c) (
        UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer, Int, Int32
      ) -> Int32
    let symbol = try #require(dlsym(nil, "setxattr"))
    #expect(unsafeBitCast(symbol, to: Call.self)(path, name, value, value.count, 0) == 0)
  }

  private func expectSecrecy(below directory: String) throws {
    #expect(try grep("SECRET-", below: directory).isEmpty)
    // That the search would find it is shown by the plain volume.
    #expect(try !grep("PUBLIC-small-content-4711", below: directory).isEmpty)
  }

  /// Names of files that contain the text, in no file system but the directory's own.
  private func grep(_ text: String, below directory: String) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/bin/grep")
    process.arguments = [
      "--recursive", "--text", "--files-with-matches", "--fixed-strings", "--ignore-case", text,
      "\(directory)/pool",
    ]
    process.standardOutput = output
    try process.run()
    let found = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: found, as: UTF8.self)
  }
}
