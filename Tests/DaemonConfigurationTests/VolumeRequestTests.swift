import StorageModel
import Testing

@testable import DaemonConfiguration

@Suite struct VolumeRequestTests {
  private static let oneNode = ClusterFacts(
    nodeCount: 1, zones: [], diskType: nil, poolCapacityBytes: 100 << 30)

  private func plan(
    _ request: VolumeRequest = VolumeRequest(name: "v", sizeBytes: 1 << 30),
    class className: String = "fast-local-ssd", parameters: [String: String]? = nil,
    topologies: [String] = [], facts: ClusterFacts = oneNode, flags: [Setting: String] = [:]
  ) throws -> VolumePlan {
    var storageClass = try #require(
      BuiltInStorageClasses.all.first { $0.name == className })
    if let parameters { storageClass.parameters = parameters }
    storageClass.allowedTopologies = topologies
    var generator = SystemRandomNumberGenerator()
    return try request.plan(
      id: VolumeID(UUIDValue(randomFrom: &generator)), class: storageClass, facts: facts,
      configuration: DaemonConfiguration(flags: flags, environment: [:]))
  }

  @Test func `a local class gives one plain replica`() throws {
    let found = try plan()
    #expect(found.specification.replicaCount == 1)
    #expect(found.specification.encryption == .none)
    #expect(found.specification.content == .fileSystem)
    #expect(found.specification.writeConcern == .replicated)
    #expect(!found.isDegraded)
    #expect(found.reclaimPolicy == .delete)
  }

  @Test func `the standard class gives an encrypted volume, degraded on one node`() throws {
    let found = try plan(class: BuiltInStorageClasses.standardName)
    #expect(found.specification.encryption == .aes256GCM)
    #expect(found.specification.replicaCount == 3)
    #expect(found.isDegraded)
    #expect(found.remarks.contains { $0.hasPrefix("degraded: 3 replicas wanted") })
    #expect(found.reclaimPolicy == .retain)
  }

  @Test func `enough nodes make the same class whole`() throws {
    var facts = Self.oneNode
    facts.nodeCount = 3
    #expect(try !plan(class: "distributed", facts: facts).isDegraded)
  }

  @Test(arguments: [
    (["replication": "3", "allowDegraded": "false"], "allowDegraded"),
    (["raidLevel": "1"], "raidLevel"), (["keyManagement": "external-kms"], "external-kms"),
    (["persistenceLevel": "enhanced"], "two pools"), (["persistenceLevel": "maximum"], "zones"),
    (["writeConcern": "distributed"], "zones"),
  ])
  func `what cannot be honoured is refused with the reason`(
    parameters: [String: String], hint: String
  ) {
    let refusal = #expect(throws: Refusal.self) { try plan(parameters: parameters) }
    #expect(refusal?.kind == .precondition)
    #expect(refusal?.message.contains(hint) == true)
  }

  @Test func `a zone that no node has is refused`() throws {
    #expect(throws: Refusal.self) { try plan(topologies: ["zone-a"]) }
    var facts = Self.oneNode
    facts.zones = ["zone-a"]
    _ = try plan(topologies: ["zone-a", "zone-b"], facts: facts)
  }

  @Test(arguments: [("hdd", false), ("ssd", true), ("nvme", true)])
  func `a declared disk type is held to`(declared: String, accepted: Bool) throws {
    var facts = Self.oneNode
    facts.diskType = DaemonConfiguration.DiskType(rawValue: declared)
    #expect(((try? plan(facts: facts)) != nil) == accepted)
  }

  @Test func `an undeclared disk type is said aloud`() throws {
    #expect(try plan().remarks.contains { $0.contains("was not checked") })
  }

  @Test(
    arguments: [
      (0, Refusal.Kind.invalid), (1, .outOfRange), (1 << 20 - 1, .outOfRange),
      (100 << 30 + 1, .outOfRange), (UInt64.max, .outOfRange),
    ] as [(UInt64, Refusal.Kind)])
  func `a size that cannot be is refused`(size: UInt64, kind: Refusal.Kind) {
    let refusal = #expect(throws: Refusal.self) {
      try plan(VolumeRequest(name: "v", sizeBytes: size))
    }
    #expect(refusal?.kind == kind)
  }

  @Test func `sizes at the bounds are accepted and rounded up to blocks`() throws {
    let smallest = try plan(VolumeRequest(name: "v", sizeBytes: 1 << 20))
    #expect(smallest.specification.capacityBytes == 1 << 20)
    let odd = try plan(VolumeRequest(name: "v", sizeBytes: 1 << 20 + 1))
    #expect(odd.specification.capacityBytes == 1 << 20 + 4096)
    _ = try plan(VolumeRequest(name: "v", sizeBytes: 100 << 30))
  }

  @Test(arguments: [
    "", ".", "..", "../x", "a/b", "-x", "a b", "ä", String(repeating: "n", count: 129), "a\u{0}",
  ])
  func `a name that is none is refused`(name: String) {
    #expect(throws: Refusal.self) { try plan(VolumeRequest(name: name, sizeBytes: 1 << 30)) }
  }

  @Test func `a volume without a name gets one`() throws {
    let found = try plan(VolumeRequest(sizeBytes: 1 << 30))
    #expect(found.specification.name.hasPrefix("volume-"))
  }

  @Test func `the request's replicas beat the class, within the bounds`() throws {
    let request = VolumeRequest(name: "v", sizeBytes: 1 << 30, replicaCount: 2)
    #expect(try plan(request).specification.replicaCount == 2)
    for count in [-1, 0, 6] {
      #expect(throws: Refusal.self) {
        try plan(VolumeRequest(name: "v", sizeBytes: 1 << 30, replicaCount: count))
      }
    }
  }

  @Test func `the configuration can demand or forbid encryption`() throws {
    #expect(
      try plan(flags: [.encryptionAtRest: "true"]).specification.encryption == .aes256GCM)
    #expect(throws: Refusal.self) {
      try plan(class: "encrypted-storage", flags: [.encryptionAtRest: "false"])
    }
  }

  @Test func `a file system of the kernel makes a block volume`() throws {
    let found = try plan(parameters: ["fsType": "ext4"])
    #expect(found.specification.content == .block)
    #expect(found.fileSystem == .ext4)
  }
}
