import Foundation
import GalleonFS
import Testing

@Suite(.serialized) struct LibraryTests {
  @Test func `the example of the documentation does what it says`() async throws {
    try await withStorage { storage, _ in
      let volume = try await storage.createVolume(
        type: .persistent, sizeBytes: 1 << 24, storageClass: "fast-local-ssd", name: "ledger")
      try await storage.writeBlock(
        volume.id, 0, Array("Hello, GalleonFS!".utf8), concern: .durable)
      let block = try await storage.readBlock(volume.id, 0)
      #expect(block.count == 4096)
      #expect(block.starts(with: "Hello, GalleonFS!".utf8))
      #expect(try await storage.listVolumes().map(\.name) == ["ledger"])
      #expect(try await storage.volume(named: "ledger").state == .available)
      #expect(try await storage.usage(of: volume.id).usedBytes == 4096)
      let metrics = try await storage.metrics(of: volume.id)
      #expect(metrics.writeCount == 1)
      #expect(metrics.readCount == 1)
      #expect(metrics.syncCount == 1)
      #expect(metrics.iops > 0)
      #expect(metrics.throughputMegabytes > 0)
      #expect(metrics.latencyMilliseconds > 0)
      #expect(metrics.writeLatency.percentile99 >= metrics.writeLatency.median)
    }
  }

  @Test(arguments: ["fast-local-ssd", "encrypted-storage"])
  func `what was written is there after opening again`(_ storageClass: String) async throws {
    let path = try StoragePath()
    defer { path.remove() }
    let first = try await path.open()
    let volume = try await first.createVolume(
      sizeBytes: 16 << 20, storageClass: storageClass, name: "kept")
    #expect(volume.isEncrypted == (storageClass == "encrypted-storage"))
    let large = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    try await first.write(volume.id, at: 12_345, large, concern: .acknowledged)
    try await first.writeBlock(volume.id, volume.blockCount - 1, [1, 2, 3])
    await first.close()

    let second = try await path.open()
    let found = try await second.volume(named: "kept")
    #expect(found.id == volume.id)
    #expect(try await second.read(found.id, at: 12_345, byteCount: large.count) == large)
    #expect(try await second.read(found.id, at: 0, byteCount: 12_345).allSatisfy { $0 == 0 })
    #expect(try await second.readBlock(found.id, found.blockCount - 1).prefix(4) == [1, 2, 3, 0])
    await second.close()
  }

  @Test func `a block keeps the bytes behind a short write`() async throws {
    try await withStorage { storage, _ in
      let volume = try await storage.createVolume(sizeBytes: 1 << 20)
      try await storage.writeBlock(volume.id, 7, [UInt8](repeating: 9, count: 4096))
      try await storage.writeBlock(volume.id, 7, [1])
      #expect(try await storage.readBlock(volume.id, 7) == [1] + [UInt8](repeating: 9, count: 4095))
      try await storage.discard(volume.id, at: 7 * 4096, byteCount: 4096)
      #expect(try await storage.readBlock(volume.id, 7).allSatisfy { $0 == 0 })
      #expect(try await storage.usage(of: volume.id).usedBytes == 0)
    }
  }

  @Test(arguments: [WriteConcern.acknowledged, .durable, .replicated])
  func `each concern of one node is honoured`(_ concern: WriteConcern) async throws {
    try await withStorage { storage, _ in
      let volume = try await storage.createVolume(sizeBytes: 1 << 20)
      try await storage.writeBlock(volume.id, 1, [5], concern: concern)
      #expect(try await storage.readBlock(volume.id, 1).first == 5)
      let syncs = try await storage.metrics(of: volume.id).syncCount
      #expect(syncs == (concern == .acknowledged ? 0 : 1))
    }
  }

  @Test func `bad arguments are refused with a reason`() async throws {
    try await withStorage { storage, _ in
      let volume = try await storage.createVolume(sizeBytes: 1 << 20, name: "one")
      let blocks = volume.blockCount
      await expectRefusal("two zones") {
        try await storage.writeBlock(volume.id, 0, [1], concern: .distributed)
      }
      await expectRefusal("do not fit") {
        try await storage.writeBlock(volume.id, 0, [UInt8](repeating: 0, count: 4097))
      }
      await expectRefusal("beyond") { try await storage.writeBlock(volume.id, blocks, [1]) }
      await expectRefusal("beyond") { _ = try await storage.readBlock(volume.id, .max) }
      await expectRefusal("beyond") { try await storage.write(volume.id, at: .max, [1]) }
      await expectRefusal("negative") {
        _ = try await storage.read(volume.id, at: 0, byteCount: -1)
      }
      await expectRefusal("no volume identifier") { _ = try await storage.volume("nonsense") }
      await expectRefusal("exists") {
        _ = try await storage.createVolume(sizeBytes: 1 << 20, name: "one")
      }
      await expectRefusal("not allowed") {
        _ = try await storage.createVolume(sizeBytes: 1 << 20, name: "../one")
      }
      await expectRefusal("size is 0") { _ = try await storage.createVolume(sizeBytes: 0) }
      await expectRefusal("beyond the pool") {
        _ = try await storage.createVolume(sizeBytes: 1 << 59)
      }
      await expectRefusal("fast-local-ssd") {
        _ = try await storage.createVolume(sizeBytes: 1 << 20, storageClass: "fast")
      }
      await expectRefusal("shrink") {
        try await storage.expandVolume(volume.id, toBytes: 1 << 19)
      }
      await expectRefusal("too large") {
        try await storage.expandVolume(volume.id, toBytes: .max)
      }
      await expectRefusal("absolute") { try await storage.mount(volume.id, at: "relative") }
      await expectRefusal("unknown mount option") {
        try await storage.mount(volume.id, at: "/tmp/never", options: ["rww"])
      }
      let files = try await storage.createVolume(sizeBytes: 1 << 20, content: .fileSystem)
      await expectRefusal("file system") { try await storage.writeBlock(files.id, 0, [1]) }
      #expect(try await storage.listVolumes().count == 2)
    }
  }

  private func expectRefusal(_ text: String, _ body: () async throws -> Void) async {
    do {
      try await body()
      Issue.record("not refused, but expected: \(text)")
    } catch {
      #expect(error is GalleonFSError)
      #expect("\(error)".contains(text))
    }
  }

  @Test func `of many who make the same name at once, one succeeds`() async throws {
    try await withStorage { storage, _ in
      let made = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<8 {
          group.addTask {
            (try? await storage.createVolume(sizeBytes: 1 << 20, name: "same")) != nil
          }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      let volumes = try await storage.listVolumes()
      #expect(made == 1)
      #expect(volumes.count == 1)
    }
  }

  @Test func `a volume grows, and is gone when deleted`() async throws {
    try await withStorage { storage, _ in
      let volume = try await storage.createVolume(sizeBytes: 1 << 20)
      #expect(try await storage.expandVolume(volume.id, toBytes: (2 << 20) - 1).blockCount == 512)
      try await storage.writeBlock(volume.id, 511, [7])
      #expect(try await storage.readBlock(volume.id, 511).first == 7)
      try await storage.deleteVolume(volume.id)
      await #expect(throws: GalleonFSError.self) {
        _ = try await storage.readBlock(volume.id, 511)
      }
      await #expect(throws: GalleonFSError.self) { try await storage.deleteVolume(volume.id) }
      #expect(try await storage.listVolumes().isEmpty)
    }
  }

  @Test func `a second opening is refused, and a closed one says so`() async throws {
    let path = try StoragePath()
    defer { path.remove() }
    let storage = try await path.open()
    do {
      _ = try await path.open()
      Issue.record("opened twice")
    } catch let error as GalleonFSError {
      #expect("\(error)".contains("in use by process"))
    }
    await storage.close()
    await storage.close()
    await #expect(throws: GalleonFSError.closed) { _ = try await storage.listVolumes() }
  }

  @Test func `a mounted volume shows its data, and only the mount writes it`() async throws {
    try await withStorage { storage, path in
      let volume = try await storage.createVolume(
        sizeBytes: 8 << 20, storageClass: "fast-local-ssd")
      try await storage.writeBlock(volume.id, 0, Array("block 0".utf8))
      let place = "\(path.directory)/mnt"
      try await storage.mount(volume.id, at: place, options: ["rw", "sync"])
      let mounts = try await storage.listMounts()
      #expect(mounts.map(\.path) == [place])
      #expect(mounts.map(\.volume) == [volume.id])
      let file = try #require(FileHandle(forUpdatingAtPath: "\(place)/data"))
      #expect(try file.read(upToCount: 7) == Data("block 0".utf8))
      try file.seek(toOffset: 4096)
      try file.write(contentsOf: Data("block 1".utf8))
      try file.close()
      do throws(GalleonFSError) {
        _ = try await storage.readBlock(volume.id, 1)
        Issue.record("read beside the mount")
      } catch {
        guard case .inUse = error else { throw error }
      }
      try await storage.unmount(place)
      #expect(try await storage.readBlock(volume.id, 1).starts(with: "block 1".utf8))
    }
  }
}
