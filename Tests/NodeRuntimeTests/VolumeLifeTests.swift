import Foundation
import NodeRuntime
import StorageModel
import Testing

@Suite(.serialized) struct VolumeLifeTests {
  @Test(arguments: [EncryptionAlgorithm.none, .aes256GCM])
  func `files survive unmounting and reopening`(_ encryption: EncryptionAlgorithm) async throws {
    let fixture = try NodeFixture()
    defer { fixture.remove() }
    let specification = NodeFixture.specification(encryption: encryption)
    let path = fixture.mountPoint()
    let large = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })

    let first = try fixture.open()
    try await first.createReplica(specification)
    _ = try await first.mount(specification.id, MountRequest(path: path))
    try Data("hello".utf8).write(to: URL(filePath: "\(path)/small"))
    try large.write(to: URL(filePath: "\(path)/large"))
    try FileManager.default.createDirectory(
      atPath: "\(path)/a/b", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(path)/link", withDestinationPath: "small")
    await first.shutdown(leavingMounts: false)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)

    let second = try fixture.open()
    _ = try await second.mount(specification.id, MountRequest(path: path))
    #expect(try Data(contentsOf: URL(filePath: "\(path)/link")) == Data("hello".utf8))
    #expect(try Data(contentsOf: URL(filePath: "\(path)/large")) == large)
    let status = try await second.status(of: specification.id)
    #expect(status.fileCount == 3)
    #expect(status.directoryCount == 3)
    #expect(status.mounts.map(\.path) == [path])
    await second.shutdown(leavingMounts: false)
  }

  @Test func `a volume is mounted at several places, read-only too`() async throws {
    try await withNode { node, fixture in
      let specification = NodeFixture.specification()
      try await node.createReplica(specification)
      let writable = fixture.mountPoint("rw")
      let readOnly = fixture.mountPoint("ro")
      _ = try await node.mount(specification.id, MountRequest(path: writable))
      _ = try await node.mount(specification.id, MountRequest(path: readOnly, isReadOnly: true))
      try Data("x".utf8).write(to: URL(filePath: "\(writable)/file"))
      #expect(try Data(contentsOf: URL(filePath: "\(readOnly)/file")) == Data("x".utf8))
      #expect(throws: (any Error).self) {
        try Data("y".utf8).write(to: URL(filePath: "\(readOnly)/file"))
      }
      await #expect(throws: NodeError.self) { try await node.deleteReplica(specification.id) }
      try await node.unmount(path: writable)
      try await node.unmount(path: readOnly)
      try await node.deleteReplica(specification.id)
      #expect(await node.volumes().isEmpty)
    }
  }

  @Test func `mounting again at the same path changes nothing`() async throws {
    try await withNode { node, fixture in
      let specification = NodeFixture.specification()
      try await node.createReplica(specification)
      let request = MountRequest(path: fixture.mountPoint())
      let first = try await node.mount(specification.id, request)
      #expect(try await node.mount(specification.id, request) == first)
      #expect(await node.mounts().count == 1)
      try await node.unmount(path: request.path)
      try await node.unmount(path: request.path)
    }
  }

  @Test func `a full volume says ENOSPC at its size and is usable after`() async throws {
    try await withNode { node, fixture in
      let specification = NodeFixture.specification(capacityBytes: 8 << 20)
      try await node.createReplica(specification)
      let path = fixture.mountPoint()
      _ = try await node.mount(specification.id, MountRequest(path: path))
      let directIO: Int32 = 0o40000  // O_DIRECT
      let file = open("\(path)/file", O_CREAT | O_RDWR | directIO, 0o600)
      defer { close(file) }
      let buffer = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 4096)
      defer { buffer.deallocate() }
      buffer.initializeMemory(as: UInt8.self, repeating: 7, count: 1 << 20)
      for index in 0..<8 { #expect(pwrite(file, buffer, 1 << 20, index << 20) == 1 << 20) }
      #expect(pwrite(file, buffer, 4096, 8 << 20) == -1)
      #expect(errno == ENOSPC)
      #expect(ftruncate(file, 4 << 20) == 0)
      #expect(pwrite(file, buffer, 1 << 20, 4 << 20) == 1 << 20)
      #expect(try await node.status(of: specification.id).usedBytes == 5 << 20)
    }
  }

  @Test(arguments: ["ext4", "xfs"])
  func `a block volume carries the kernel's file systems`(_ type: String) async throws {
    try await withNode { node, fixture in
      let specification = NodeFixture.specification(capacityBytes: 400 << 20, content: .block)
      try await node.createReplica(specification)
      let path = fixture.mountPoint()
      let request = MountRequest(path: path, presentation: .formatted(fileSystem: type))
      #expect(try await node.mount(specification.id, request).kind == type)
      try Data("kernel".utf8).write(to: URL(filePath: "\(path)/file"))
      // ext4 grows online only for those with CAP_SYS_RESOURCE.
      if type == "xfs" || NodeFixture.hasCapability(24) {
        try await node.expandReplica(specification.id, toBytes: 500 << 20)
        #expect(
          try FileManager.default.attributesOfFileSystem(forPath: path)[.systemSize]
            as? UInt64 ?? 0 > 420 << 20)
      }
      try await node.unmount(path: path)
      _ = try await node.mount(specification.id, request)
      #expect(try Data(contentsOf: URL(filePath: "\(path)/file")) == Data("kernel".utf8))
      try await node.unmount(path: path)
    }
  }

  @Test func `a block volume is shown as data with a description`() async throws {
    try await withNode { node, fixture in
      let specification = NodeFixture.specification(content: .block)
      try await node.createReplica(specification)
      let path = fixture.mountPoint()
      _ = try await node.mount(specification.id, MountRequest(path: path))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
          == [".galleonfs_metadata", "README.txt", "data"])
      try Data("Hello GalleonFS!\n".utf8).write(
        to: URL(filePath: "\(path)/data"), options: [])
      let device = fixture.mountPoint("device")
      _ = try await node.mount(
        specification.id, MountRequest(path: device, presentation: .device))
      let file = open(device, O_RDONLY)
      var bytes = [UInt8](repeating: 0, count: 4096)
      #expect(read(file, &bytes, bytes.count) == 4096)
      close(file)
      #expect(bytes.starts(with: "Hello GalleonFS!\n".utf8))
      try await node.unmount(path: device)
    }
  }
}
