import Foundation
import NodeRuntime
import StorageModel
import Testing

/// Space: how it ends, comes back, and is waited for.
@Suite(.serialized) struct SpaceTests {
  @Test func `a block volume is full at its size, and discarded space goes back to the host`()
    async throws
  {
    try await withNode { node, fixture in
      let specification = NodeFixture.specification(capacityBytes: 16 << 20, content: .block)
      try await node.createReplica(specification)
      let megabyte = [UInt8](repeating: 13, count: 1 << 20)
      for index in 0..<16 {
        try await node.writeDevice(
          specification.id, megabyte, at: UInt64(index << 20), durably: false)
      }
      #expect(try await node.status(of: specification.id).usedBytes == 16 << 20)
      await #expect(throws: NodeError.self) {
        try await node.writeDevice(specification.id, [1], at: 16 << 20, durably: false)
      }
      // Overwriting a full volume needs no space of its capacity.
      try await node.writeDevice(specification.id, megabyte, at: 5 << 20, durably: false)
      try await node.writeDevice(specification.id, [7], at: 9 << 20, durably: true)
      try await node.checkpoint()
      let before = try fixture.occupiedBytes(of: specification.id)
      #expect(before >= 16 << 20)

      try await node.discardDevice(specification.id, at: 0, byteCount: 12 << 20)
      #expect(try await node.status(of: specification.id).usedBytes == 4 << 20)
      try await node.checkpoint()
      let after = try fixture.occupiedBytes(of: specification.id)
      #expect(after <= 5 << 20)
      #expect(
        try await node.readDevice(specification.id, at: 13 << 20, byteCount: 1 << 20) == megabyte)
      #expect(
        try await node.readDevice(specification.id, at: 9 << 20, byteCount: 4096)
          .allSatisfy { $0 == 0 })
    }
  }

  @Test func `removed files give their space back to the host`() async throws {
    try await withNode { node, fixture in
      let specification = NodeFixture.specification(capacityBytes: 64 << 20)
      try await node.createReplica(specification)
      let path = fixture.mountPoint()
      _ = try await node.mount(specification.id, MountRequest(path: path))
      for index in 0..<4 {
        try Data(repeating: UInt8(index + 1), count: 5 << 20).write(
          to: URL(filePath: "\(path)/file\(index)"))
      }
      try await node.sync(specification.id)
      try await node.checkpoint()
      #expect(try fixture.occupiedBytes(of: specification.id) >= 20 << 20)
      for index in 0..<4 { try FileManager.default.removeItem(atPath: "\(path)/file\(index)") }
      try await node.sync(specification.id)
      // The kernel forgets inodes, and large files are reclaimed, a little later.
      for _ in 0..<200 where try await node.status(of: specification.id).usedBytes > 0 {
        try await node.checkpoint()
      }
      #expect(try await node.status(of: specification.id).usedBytes == 0)
      try await node.checkpoint()
      #expect(try fixture.occupiedBytes(of: specification.id) <= 1 << 20)
    }
  }

  @Test func `writing goes on when the journal is smaller than what is written`() async throws {
    let fixture = try NodeFixture()
    defer { fixture.remove() }
    let specification = NodeFixture.specification(capacityBytes: 16 << 20, content: .block)
    let first = try fixture.open(journalByteCount: 32 << 20)
    try await first.createReplica(specification)
    let model = try DeviceModel(
      path: "\(fixture.directory)/model", sectorCount: 32 << 10)
    let part = 60 << 10
    // Twice the journal's budget, in writes that go through the journal.
    for index in 0..<(64 << 20) / part {
      let sector = index * 37 % (model.sectorCount / 120) * 120
      let version = UInt64(index + 1)
      model.begin(sector..<sector + 120, version: version)
      try await first.writeDevice(
        specification.id, DeviceModel.content(of: sector..<sector + 120, version: version),
        at: UInt64(sector << 9), durably: false)
      model.complete()
    }
    #expect(try await first.poolStatus().journalBytes <= 32 << 20)
    await first.shutdown(leavingMounts: false)

    let second = try fixture.open(journalByteCount: 32 << 20)
    var device = try await second.readDevice(specification.id, at: 0, byteCount: 16 << 20)
    #expect(model.settle(with: device) == nil)
    device[777] ^= 1
    #expect(model.settle(with: device) != nil)
    await second.shutdown(leavingMounts: false)
  }

  @Test func `a deleted volume leaves nothing in the pool`() async throws {
    let fixture = try NodeFixture()
    defer { fixture.remove() }
    let specification = NodeFixture.specification(capacityBytes: 16 << 20, content: .block)
    let first = try fixture.open()
    try await first.createReplica(specification)
    try await first.writeDevice(
      specification.id, [UInt8](repeating: 3, count: 4 << 20), at: 0, durably: true)
    #expect(try !fixture.segmentPaths(of: specification.id).isEmpty)
    try await first.deleteReplica(specification.id)
    try await first.deleteReplica(specification.id)
    let directory = "\(fixture.storagePath)/pool/segments/\(specification.id)"
    #expect(!FileManager.default.fileExists(atPath: directory))
    await first.shutdown(leavingMounts: false)

    let second = try fixture.open()
    #expect(await second.volumes().isEmpty)
    await second.shutdown(leavingMounts: false)
  }

  @Test func `a volume's identifier cannot be taken for one of another size`() async throws {
    try await withNode { node, _ in
      var specification = NodeFixture.specification(capacityBytes: 16 << 20, content: .block)
      try await node.createReplica(specification)
      try await node.createReplica(specification)
      specification.capacityBytes = 32 << 20
      await #expect(
        throws: NodeError.volumeExists(
          specification.id, difference: "it has 16777216 bytes, not 33554432")
      ) { try await node.createReplica(specification) }
      #expect(await node.volumes().count == 1)
    }
  }

  @Test func `a volume grows while it is written, and stays so`() async throws {
    let fixture = try NodeFixture()
    defer { fixture.remove() }
    let specification = NodeFixture.specification(capacityBytes: 1 << 20, content: .block)
    let bytes = [UInt8](repeating: 7, count: 512 << 10)
    let first = try fixture.open()
    try await first.createReplica(specification)
    try await first.writeDevice(specification.id, bytes, at: 512 << 10, durably: false)
    await #expect(throws: NodeError.self) {
      try await first.writeDevice(specification.id, [1], at: 1 << 20, durably: false)
    }
    try await first.expandReplica(specification.id, toBytes: 8 << 20)
    try await first.writeDevice(specification.id, bytes, at: 7 << 20, durably: false)
    await #expect(throws: NodeError.cannotShrink(currentBytes: 8 << 20, requestedBytes: 4 << 20)) {
      try await first.expandReplica(specification.id, toBytes: 4 << 20)
    }
    await first.shutdown(leavingMounts: false)

    let second = try fixture.open()
    #expect(try await second.status(of: specification.id).specification.capacityBytes == 8 << 20)
    for offset in [UInt64(512 << 10), 7 << 20] {
      #expect(
        try await second.readDevice(specification.id, at: offset, byteCount: bytes.count) == bytes)
    }
    #expect(
      try await second.readDevice(specification.id, at: 2 << 20, byteCount: 4096)
        .allSatisfy { $0 == 0 })
    await second.shutdown(leavingMounts: false)
  }
}
