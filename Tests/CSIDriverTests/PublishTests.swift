import CSIDriver
import GRPC
import Messages
import Synchronization
import Testing

@Suite struct ControllerPublishTests {
  let bench = Bench()

  @Test func `publishing again is the same, publishing otherwise is refused`() async throws {
    let volume = try await bench.create()
    for _ in 0..<3 { try await bench.publish(volume) }
    await expect(.alreadyExists, "read-write") {
      try await bench.publish(volume, readonly: true)
    }
  }

  @Test func `fields are required in turn, then volume and node must exist`() async throws {
    let volume = try await bench.create()
    await expect(.invalidArgument, "volume_id") {
      try await bench.controller.publishVolume(.init())
    }
    await expect(.invalidArgument, "node_id") {
      try await bench.controller.publishVolume(.init(volumeID: "x"))
    }
    await expect(.invalidArgument, "volume_capability") {
      try await bench.controller.publishVolume(.init(volumeID: "x", nodeID: "y"))
    }
    await expect(.notFound, "volume") {
      try await bench.publish(.init(volumeID: "x"), node: "y")
    }
    await expect(.notFound, "node-1, node-2") { try await bench.publish(volume, node: "y") }
  }

  @Test(arguments: [
    CSI.VolumeCapability.AccessMode.Mode.singleNodeWriter, .singleNodeReaderOnly,
    .singleNodeSingleWriter, .singleNodeMultiWriter,
  ])
  func `a single-node mode is for one node`(mode: CSI.VolumeCapability.AccessMode.Mode)
    async throws
  {
    let volume = try await bench.create("a", [.mount(mode)])
    try await bench.publish(volume, .mount(mode))
    await expect(.failedPrecondition, "node-1") {
      try await bench.publish(volume, node: "node-2", .mount(mode))
    }
  }

  @Test func `several nodes may write together, or all read, or one write`() async throws {
    let shared = try await bench.create("a", [.mount(.multiNodeMultiWriter)])
    let readers = try await bench.create("b", [.mount(.multiNodeReaderOnly)])
    let single = try await bench.create("c", [.mount(.multiNodeSingleWriter)])
    for node in ["node-1", "node-2"] {
      try await bench.publish(shared, node: node, .mount(.multiNodeMultiWriter))
      try await bench.publish(readers, node: node, .mount(.multiNodeReaderOnly))
    }
    try await bench.publish(single, .mount(.multiNodeSingleWriter))
    await expect(.failedPrecondition) {
      try await bench.publish(single, node: "node-2", .mount(.multiNodeSingleWriter))
    }
    try await bench.publish(
      single, node: "node-2", .mount(.multiNodeSingleWriter), readonly: true)
  }

  @Test func `a volume is not published where it cannot be used, nor as what it is not`()
    async throws
  {
    let response = try await bench.controller.createVolume(
      .init(
        name: "a", volumeCapabilities: [.mount()],
        accessibilityRequirements: .init(
          requisite: [.init(segments: ["topology.galleonfs.io/node": "node-2"])])))
    let volume = try #require(response.volume)
    await expect(.failedPrecondition, "only on: node-2") { try await bench.publish(volume) }
    await expect(.invalidArgument, "galleonfs") {
      try await bench.publish(volume, node: "node-2", .block())
    }
  }

  @Test func `unpublishing what is not published is no error`() async throws {
    let volume = try await bench.create()
    try await bench.publish(volume)
    for (id, node) in [
      (volume.volumeID, "node-1"), (volume.volumeID, "node-1"), (volume.volumeID, "node-9"),
      ("x", "node-1"), (volume.volumeID, ""),
    ] {
      _ = try await bench.controller.unpublishVolume(.init(volumeID: id, nodeID: node))
    }
    let answer = try await bench.controller.getVolume(.init(volumeID: volume.volumeID))
    #expect(answer.status?.publishedNodeIDs == [])
    await expect(.invalidArgument) { try await bench.controller.unpublishVolume(.init()) }
  }
}

@Suite struct NodeTests {
  let bench = Bench()

  @Test func `a volume is staged, published, read, grown, unpublished and unstaged, each twice`()
    async throws
  {
    let volume = try await bench.create()
    try await bench.publish(volume)
    for _ in 0..<2 { try await bench.stage(volume) }
    for _ in 0..<2 { try await bench.nodePublish(volume) }
    #expect(bench.cluster.state.withLock { $0.mounts.count } == 2)
    let stats = try await bench.node.getVolumeStats(
      .init(volumeID: volume.volumeID, volumePath: Bench.target))
    #expect(stats.usage.map(\.unit) == [.bytes, .inodes])
    #expect(
      stats.usage.first
        == .init(available: (1 << 30) - 4096, total: 1 << 30, used: 4096, unit: .bytes))
    #expect(stats.volumeCondition?.abnormal == false)
    for _ in 0..<2 {
      let answer = try await bench.node.expandVolume(
        .init(
          volumeID: volume.volumeID, volumePath: Bench.target,
          capacityRange: .init(requiredBytes: 2 << 30)))
      #expect(answer.capacityBytes == 2 << 30)
    }
    for _ in 0..<2 {
      _ = try await bench.node.unpublishVolume(
        .init(volumeID: volume.volumeID, targetPath: Bench.target))
    }
    for _ in 0..<2 {
      _ = try await bench.node.unstageVolume(
        .init(volumeID: volume.volumeID, stagingTargetPath: Bench.staging))
    }
    #expect(bench.cluster.state.withLock { $0.mounts.isEmpty })
  }

  @Test func `staging otherwise than it is staged is refused`() async throws {
    let volume = try await bench.create()
    try await bench.stage(volume)
    await expect(.alreadyExists, "read-only") {
      try await bench.stage(volume, .mount(.multiNodeReaderOnly))
    }
    let other = try await bench.create("b")
    await expect(.alreadyExists, "occupied") { try await bench.stage(other) }
  }

  @Test func `publishing needs staging, and the same again`() async throws {
    let volume = try await bench.create()
    await expect(.failedPrecondition, "not staged") { try await bench.nodePublish(volume) }
    await expect(.failedPrecondition, "staging_target_path") {
      try await bench.node.publishVolume(
        .init(
          volumeID: volume.volumeID, targetPath: Bench.target, volumeCapability: .mount()))
    }
    try await bench.stage(volume)
    try await bench.nodePublish(volume)
    await expect(.alreadyExists) { try await bench.nodePublish(volume, readonly: true) }
  }

  @Test func `what is staged read-only is not published for writing`() async throws {
    let volume = try await bench.create("a", [.mount(.multiNodeReaderOnly)])
    try await bench.stage(volume, .mount(.multiNodeReaderOnly))
    await expect(.failedPrecondition, "read-only") { try await bench.nodePublish(volume) }
    try await bench.nodePublish(volume, .mount(.multiNodeReaderOnly))
  }

  @Test func `a single writer has one target, others have many`() async throws {
    let single = try await bench.create("a", [.mount(.singleNodeSingleWriter)])
    try await bench.stage(single, .mount(.singleNodeSingleWriter))
    try await bench.nodePublish(single, .mount(.singleNodeSingleWriter))
    try await bench.nodePublish(single, .mount(.singleNodeSingleWriter))
    await expect(.failedPrecondition, Bench.target) {
      try await bench.nodePublish(single, .mount(.singleNodeSingleWriter), at: "/other")
    }
    _ = try await bench.node.unpublishVolume(
      .init(volumeID: single.volumeID, targetPath: Bench.target))
    try await bench.nodePublish(single, .mount(.singleNodeSingleWriter), at: "/other")
    _ = try await bench.node.unstageVolume(
      .init(volumeID: single.volumeID, stagingTargetPath: Bench.staging))
    let many = try await bench.create("b", [.mount(.singleNodeMultiWriter)])
    try await bench.stage(many, .mount(.singleNodeMultiWriter))
    for path in ["/a", "/b"] {
      try await bench.nodePublish(many, .mount(.singleNodeMultiWriter), at: path)
    }
  }

  @Test func `devices and kernel file systems are shown as what they are`() async throws {
    let volume = try await bench.create("a", [.mount(fsType: "ext4"), .block()])
    try await bench.stage(volume, .block())
    await expect(.failedPrecondition, "not staged as ext4") { try await bench.nodePublish(volume) }
    try await bench.nodePublish(volume, .block())
    #expect(bench.cluster.state.withLock { $0.orders.map(\.kind) } == [.block, .block])
    let byContext = try await bench.create("b", parameters: ["fsType": "xfs"])
    try await bench.stage(byContext, at: "/s2")
    #expect(bench.cluster.state.withLock { $0.orders.last?.kind } == .xfs)
  }

  @Test func `mount flags and group reach the host`() async throws {
    let volume = try await bench.create()
    try await bench.stage(volume, .mount(flags: ["noatime"], group: "2000"))
    let order = bench.cluster.state.withLock { $0.orders.last }
    #expect(order?.options == ["noatime"])
    #expect(order?.groupID == 2000)
    await expect(.invalidArgument, "volume_mount_group") {
      try await bench.stage(volume, .mount(group: "staff"))
    }
    await expect(.failedPrecondition, "not encrypted") {
      try await bench.stage(volume, .mount(flags: ["encrypted"]), at: "/s2")
    }
  }

  @Test func `a slash at a path's end changes nothing`() async throws {
    let volume = try await bench.create()
    try await bench.stage(volume, at: Bench.staging + "/")
    try await bench.stage(volume)
    try await bench.nodePublish(volume, at: Bench.target + "/")
    _ = try await bench.node.getVolumeStats(
      .init(volumeID: volume.volumeID, volumePath: Bench.target + "/"))
    _ = try await bench.node.unpublishVolume(
      .init(volumeID: volume.volumeID, targetPath: Bench.target))
    #expect(bench.cluster.state.withLock { $0.mounts.map(\.path) } == [Bench.staging])
  }

  @Test(arguments: ["", "some/path", "/a/../b", "/a//b", "/a/./b", "/a\0b", "/", "/a//"])
  func `paths that are not proper are refused`(path: String) async throws {
    let volume = try await bench.create()
    await expect(.invalidArgument, "staging_target_path") {
      try await bench.stage(volume, at: path)
    }
    await expect(.invalidArgument, "target_path") {
      try await bench.nodePublish(volume, at: path)
    }
    await expect(.invalidArgument, "target_path") {
      try await bench.node.unpublishVolume(.init(volumeID: volume.volumeID, targetPath: path))
    }
  }

  @Test func `fields are required and volumes must exist`() async throws {
    let node = bench.node
    await expect(.invalidArgument, "volume_id") { try await node.stageVolume(.init()) }
    await expect(.invalidArgument, "volume_capability") {
      try await node.stageVolume(.init(volumeID: "x", stagingTargetPath: "/s"))
    }
    await expect(.invalidArgument, "volume_id") { try await node.unstageVolume(.init()) }
    await expect(.invalidArgument, "staging_target_path") {
      try await node.unstageVolume(.init(volumeID: "x"))
    }
    await expect(.invalidArgument, "volume_id") { try await node.publishVolume(.init()) }
    await expect(.invalidArgument, "target_path") {
      try await node.publishVolume(.init(volumeID: "x"))
    }
    await expect(.invalidArgument, "volume_capability") {
      try await node.publishVolume(.init(volumeID: "x", targetPath: "/t"))
    }
    await expect(.invalidArgument, "volume_id") { try await node.unpublishVolume(.init()) }
    await expect(.invalidArgument, "volume_id") {
      try await node.getVolumeStats(.init(volumePath: "some/path"))
    }
    await expect(.invalidArgument, "volume_path") {
      try await node.getVolumeStats(.init(volumeID: "x"))
    }
    await expect(.invalidArgument, "volume_path") {
      try await node.expandVolume(.init(volumeID: "x"))
    }
    await expect(.notFound) {
      try await node.getVolumeStats(.init(volumeID: "x", volumePath: "some/path"))
    }
    await expect(.notFound) {
      try await node.expandVolume(.init(volumeID: "x", volumePath: "some/path"))
    }
    await expect(.notFound) { try await bench.stage(.init(volumeID: "x")) }
    let volume = try await bench.create()
    await expect(.notFound, "neither staged nor published") {
      try await node.getVolumeStats(.init(volumeID: volume.volumeID, volumePath: "some/path"))
    }
  }

  @Test func `unpublishing another volume's target is refused`() async throws {
    let (one, two) = (try await bench.create("a"), try await bench.create("b"))
    try await bench.stage(one)
    try await bench.nodePublish(one)
    await expect(.failedPrecondition, "occupied") {
      try await bench.node.unpublishVolume(
        .init(volumeID: two.volumeID, targetPath: Bench.target))
    }
  }

  @Test func `the node says who and where it is`() {
    let info = bench.node.getInfo(.init())
    #expect(info.nodeID == "node-1")
    #expect(
      info.accessibleTopology?.segments == [
        "topology.galleonfs.io/node": "node-1", "topology.galleonfs.io/zone": "zone-a",
      ])
  }
}
