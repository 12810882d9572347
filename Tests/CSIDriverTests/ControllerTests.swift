import CSIDriver
import GRPC
import Messages
import StorageModel
import Testing

@Suite struct ControllerTests {
  let bench = Bench()

  @Test func `a volume is made with the size that was asked for`() async throws {
    let volume = try await bench.create(bytes: 10 << 30, limit: 10 << 30)
    #expect(volume.capacityBytes == 10 << 30)
    #expect(VolumeID(volume.volumeID) != nil)
    #expect(volume.volumeContext == ["fsType": "galleonfs"])
    #expect(volume.accessibleTopology.first?.segments["topology.galleonfs.io/node"] == "node-1")
  }

  @Test func `the same name gives the same volume`() async throws {
    let first = try await bench.create()
    #expect(try await bench.create() == first)
    #expect(try await bench.create(bytes: 1 << 20, limit: 2 << 30) == first)
  }

  @Test func `the same name with another demand is refused with the difference`() async throws {
    _ = try await bench.create(parameters: ["encryption": "true"])
    await expect(.alreadyExists, "1073741824 bytes") { try await bench.create(bytes: 2 << 30) }
    await expect(.alreadyExists, "content") { try await bench.create("pvc-1", [.block()]) }
    await expect(.alreadyExists, "encryption") {
      try await bench.create(parameters: ["encryption": "false"])
    }
  }

  @Test func `a volume without a size has one GiB, and small sizes become whole blocks`()
    async throws
  {
    let response = try await bench.controller.createVolume(
      .init(name: "a", volumeCapabilities: [.mount()]))
    #expect(response.volume?.capacityBytes == 1 << 30)
    #expect(try await bench.create("b", bytes: (1 << 20) + 1).capacityBytes == (1 << 20) + 4096)
    #expect(try await bench.create("c", bytes: 0, limit: 1 << 21).capacityBytes == 1 << 21)
  }

  @Test(arguments: impossibleSizes)
  func `sizes that cannot be are refused`(bytes: Int64, limit: Int64, code: GRPCCode) async {
    await expect(code) { try await bench.create(bytes: bytes, limit: limit) }
  }

  @Test(arguments: [
    "", "a/b", "../etc", ".hidden", "a b", "a\0b", "é", String(repeating: "x", count: 129),
    String(repeating: "x", count: 300),
  ])
  func `names that are not allowed are refused`(name: String) async {
    await expect(.invalidArgument, "name") { try await bench.create(name) }
  }

  @Test func `a name of 128 bytes is allowed`() async throws {
    _ = try await bench.create(String(repeating: "x", count: 128))
  }

  @Test func `unknown parameters are refused with the known ones`() async {
    await expect(.invalidArgument, "known are: allowDegraded, blockSize") {
      try await bench.create(parameters: ["replikas": "3"])
    }
    await expect(.invalidArgument, "true, false") {
      try await bench.create(parameters: ["encryption": "perhaps"])
    }
  }

  @Test func `what the provisioner adds about the claim is accepted`() async throws {
    _ = try await bench.create(parameters: [
      "csi.storage.k8s.io/pvc/name": "a", "csi.storage.k8s.io/pvc/namespace": "b",
      "csi.storage.k8s.io/pv/name": "c", "csi.storage.k8s.io/fstype": "galleonfs",
      "fsType": "galleonfs", "blockSize": "8192",
    ])
  }

  @Test func `capabilities are required, whole, and must agree`() async {
    await expect(.invalidArgument, "volume_capabilities") { try await bench.create("a", []) }
    await expect(.invalidArgument, "access_type") {
      try await bench.create("a", [.init(accessMode: .init(mode: .singleNodeWriter))])
    }
    await expect(.invalidArgument, "access_mode") {
      try await bench.create("a", [.mount(.unknown)])
    }
    await expect(.invalidArgument, "SINGLE_NODE_WRITER") {
      try await bench.create("a", [.mount(.unrecognized(99))])
    }
    await expect(.invalidArgument, "galleonfs, ext4, xfs") {
      try await bench.create("a", [.mount(fsType: "ntfs")])
    }
    await expect(.invalidArgument, "contradict") {
      try await bench.create("a", [.mount(), .block()])
    }
    await expect(.invalidArgument, "only galleonfs") {
      try await bench.create("a", [.mount(.multiNodeMultiWriter, fsType: "xfs")])
    }
    await expect(.invalidArgument, "known are") {
      try await bench.create("a", [.mount(flags: ["frobnicate"])])
    }
  }

  @Test(arguments: CSI.VolumeCapability.AccessMode.Mode.allCases.dropFirst())
  func `every access mode is possible`(mode: CSI.VolumeCapability.AccessMode.Mode) async throws {
    _ = try await bench.create("a", [.mount(mode)])
    _ = try await bench.create("b", [.block(mode)])
  }

  @Test func `a kernel file system makes a device that remembers it`() async throws {
    let volume = try await bench.create("a", [.mount(fsType: "xfs"), .block()])
    #expect(volume.volumeContext == ["fsType": "xfs"])
    let byClass = try await bench.create("b", parameters: ["fsType": "ext4"])
    #expect(byClass.volumeContext == ["fsType": "ext4"])
  }

  @Test func `sources and mutable parameters are refused`() async {
    await expect(.invalidArgument, "CLONE_VOLUME") {
      try await bench.controller.createVolume(
        .init(
          name: "a", volumeCapabilities: [.mount()],
          volumeContentSource: .init(type: .volume(.init(volumeID: "x")))))
    }
    await expect(.invalidArgument, "mutable") {
      try await bench.controller.createVolume(
        .init(name: "a", volumeCapabilities: [.mount()], mutableParameters: ["iops": "1"]))
    }
  }

  @Test func `a volume lies where topology wants it`() async throws {
    func create(_ name: String, _ segments: [String: String]) async throws -> CSI.Volume? {
      try await bench.controller.createVolume(
        .init(
          name: name, volumeCapabilities: [.mount()],
          accessibilityRequirements: .init(requisite: [.init(segments: segments)]))
      ).volume
    }
    let volume = try await create("a", ["topology.galleonfs.io/zone": "zone-b"])
    #expect(
      volume?.accessibleTopology.map { $0.segments.values.sorted() } == [["node-2", "zone-b"]])
    await expect(.resourceExhausted, "node-1, node-2") {
      _ = try await create("b", ["topology.galleonfs.io/node": "node-9"])
    }
    await expect(.invalidArgument, "known are") { _ = try await create("b", ["zone": "x"]) }
  }

  @Test func `delete forgets a volume, and again, and ones that never were`() async throws {
    let volume = try await bench.create()
    for id in [volume.volumeID, volume.volumeID, "reallyfakevolumeid"] {
      _ = try await bench.controller.deleteVolume(.init(volumeID: id))
    }
    #expect(try await bench.controller.listVolumes(.init()).entries.isEmpty)
    await expect(.invalidArgument, "volume_id") {
      try await bench.controller.deleteVolume(.init())
    }
  }

  @Test func `a published volume is not deleted`() async throws {
    let volume = try await bench.create()
    try await bench.publish(volume)
    await expect(.failedPrecondition, "node-1") {
      try await bench.controller.deleteVolume(.init(volumeID: volume.volumeID))
    }
    _ = try await bench.controller.unpublishVolume(.init(volumeID: volume.volumeID))
    _ = try await bench.controller.deleteVolume(.init(volumeID: volume.volumeID))
  }

  @Test func `pages list every volume once, whatever goes in between`() async throws {
    var ids: Set<String> = []
    for index in 0..<5 { ids.insert(try await bench.create("v\(index)").volumeID) }
    let first = try await bench.controller.listVolumes(.init(maxEntries: 2))
    #expect(first.entries.count == 2)
    for entry in first.entries {
      let id = try #require(entry.volume).volumeID
      #expect(ids.remove(id) != nil)
      _ = try await bench.controller.deleteVolume(.init(volumeID: id))
    }
    let rest = try await bench.controller.listVolumes(.init(startingToken: first.nextToken))
    #expect(Set(rest.entries.compactMap { $0.volume?.volumeID }) == ids)
    #expect(rest.nextToken.isEmpty)
    let all = try await bench.controller.listVolumes(.init(maxEntries: 3))
    #expect(all.nextToken.isEmpty)
  }

  @Test func `foreign tokens and negative pages are refused`() async {
    await expect(.aborted, "invalid-token") {
      try await bench.controller.listVolumes(.init(startingToken: "invalid-token"))
    }
    await expect(.invalidArgument) {
      try await bench.controller.listVolumes(.init(maxEntries: -1))
    }
  }

  @Test func `get tells where a volume is published and how it is`() async throws {
    let volume = try await bench.create(parameters: ["replication": "3"])
    try await bench.publish(volume)
    let answer = try await bench.controller.getVolume(.init(volumeID: volume.volumeID))
    #expect(answer.volume == volume)
    #expect(answer.status?.publishedNodeIDs == ["node-1"])
    #expect(answer.status?.volumeCondition == .init(abnormal: true, message: "degraded"))
    await expect(.notFound) { try await bench.controller.getVolume(.init(volumeID: "x")) }
    await expect(.invalidArgument) { try await bench.controller.getVolume(.init()) }
  }

  @Test func `capacity is asked for with parameters and places`() async throws {
    let all = try await bench.controller.getCapacity(.init())
    #expect(all.availableCapacity == 1 << 40)
    #expect(all.minimumVolumeSize?.value == 1 << 20)
    let nowhere = try await bench.controller.getCapacity(
      .init(accessibleTopology: .init(segments: ["topology.galleonfs.io/node": "node-9"])))
    #expect(nowhere.availableCapacity == 0)
    await expect(.invalidArgument) {
      try await bench.controller.getCapacity(.init(parameters: ["x": "y"]))
    }
  }

  @Test func `a volume grows, never shrinks, and grows once`() async throws {
    let volume = try await bench.create()
    func expand(_ bytes: Int64, _ limit: Int64 = 0) async throws -> Int64 {
      try await bench.controller.expandVolume(
        .init(
          volumeID: volume.volumeID,
          capacityRange: .init(requiredBytes: bytes, limitBytes: limit))
      ).capacityBytes
    }
    #expect(try await expand(2 << 30) == 2 << 30)
    #expect(try await expand(2 << 30) == 2 << 30)
    #expect(try await expand(1 << 30) == 2 << 30)
    await expect(.outOfRange, "do not shrink") { _ = try await expand(1 << 20, 1 << 30) }
    await expect(.outOfRange) { _ = try await expand(1 << 41) }
    await expect(.invalidArgument) { _ = try await expand(0) }
    await expect(.invalidArgument, "capacity_range") {
      try await bench.controller.expandVolume(.init(volumeID: volume.volumeID))
    }
    await expect(.notFound) {
      try await bench.controller.expandVolume(
        .init(volumeID: "no", capacityRange: .init(requiredBytes: 1)))
    }
  }

  @Test func `capabilities are confirmed, or the reason is told`() async throws {
    let volume = try await bench.create()
    func validate(
      _ capabilities: [CSI.VolumeCapability], _ parameters: [String: String] = [:]
    ) async throws -> CSI.ValidateVolumeCapabilitiesResponse {
      try await bench.controller.validateVolumeCapabilities(
        .init(
          volumeID: volume.volumeID, volumeContext: volume.volumeContext,
          volumeCapabilities: capabilities, parameters: parameters))
    }
    #expect(try await validate([.mount()]).confirmed?.volumeCapabilities == [.mount()])
    let block = try await validate([.block()])
    #expect(block.confirmed == nil)
    #expect(block.message.contains("galleonfs"))
    #expect(try await validate([.mount()], ["encryption": "true"]).confirmed == nil)
    await expect(.invalidArgument) { _ = try await validate([]) }
    await expect(.notFound) {
      try await bench.controller.validateVolumeCapabilities(
        .init(volumeID: "no", volumeCapabilities: [.mount()]))
    }
  }
}

/// required_bytes, limit_bytes and the code they give.
private let impossibleSizes: [(Int64, Int64, GRPCCode)] = [
  (-1, 0, .invalidArgument),
  (1, -1, .invalidArgument),
  (0, 0, .invalidArgument),
  (2 << 20, 1 << 20, .invalidArgument),
  (1_048_577, 1_048_578, .outOfRange),
  (Int64.max, 0, .outOfRange),
  (1 << 50, 0, .outOfRange),
  (1, 4_096, .outOfRange),
]
