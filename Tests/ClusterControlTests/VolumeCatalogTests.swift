import DaemonConfiguration
import StorageModel
import Testing

@testable import ClusterControl

@Suite struct VolumeCatalogTests {
  let store = MemoryStore()
  var catalog: VolumeCatalog { VolumeCatalog(store) }

  private func entry(_ name: String, seed: UInt64 = 1) -> VolumeEntry {
    VolumeEntry(
      specification: VolumeSpecification(
        id: VolumeID(UUIDValue(high: seed, low: seed)), name: name, capacityBytes: 1 << 30,
        blockSize: .standard, type: .shared, content: .block, encryption: .aes256GCM,
        replicaCount: 3, storageClassName: "c", strategy: .asynchronous,
        writeConcern: .acknowledged),
      state: .creating, epoch: .first, primary: "n", members: ["n"], learners: ["m"],
      reclaimPolicy: .retain, bindingMode: .waitForFirstConsumer, mountOptions: ["noatime"],
      fileSystem: "xfs", labels: ["a": "b"], createdAt: Timestamp(seconds: 7, nanoseconds: 0))
  }

  @Test func `an entry is found again by name and by identifier, as it was`() async throws {
    let written = entry("data")
    #expect(try await catalog.insert(written) == nil)
    #expect(try await catalog.find("data")?.entry == written)
    #expect(try await catalog.find(written.id.description)?.entry == written)
    #expect(try await catalog.find(written.id.description.uppercased())?.entry == written)
    #expect(try await catalog.volumes().map(\.entry) == [written])
  }

  @Test func `a name is given once`() async throws {
    _ = try await catalog.insert(entry("data", seed: 1))
    #expect(try await catalog.insert(entry("data", seed: 2))?.id == entry("data", seed: 1).id)
    #expect(try await catalog.volumes().count == 1)
  }

  @Test func `a removed entry frees its name`() async throws {
    _ = try await catalog.insert(entry("data", seed: 1))
    try await catalog.remove(entry("data", seed: 1).id)
    try await catalog.remove(entry("data", seed: 1).id)
    #expect(try await catalog.find("data") == nil)
    #expect(try await catalog.insert(entry("data", seed: 2)) == nil)
  }

  @Test func `a change that names an old revision is refused`() async throws {
    _ = try await catalog.insert(entry("data"))
    let found = try #require(try await catalog.find("data"))
    var changed = found.entry
    changed.state = .available
    #expect(try await catalog.replace(found, with: changed))
    #expect(try await !catalog.replace(found, with: found.entry))
  }

  @Test func `an epoch rises by one and only from the expected one`() async throws {
    _ = try await catalog.insert(entry("data"))
    let id = entry("data").id
    let next = try await catalog.reconfigure(
      id, expected: .first, primary: "m", members: ["m"], learners: [])
    #expect(next.epoch == Epoch(2) && next.primary == "m")
    await #expect(throws: Refusal.self) {
      try await catalog.reconfigure(
        id, expected: .first, primary: "n", members: ["n"], learners: [])
    }
  }

  @Test(arguments: [
    "", "x", "{}", "{\"version\":2}", "{\"version\":0}", "{\"version\":1}", "[1]", "\u{0}",
    "{\"version\":1,\"id\":\"../etc\"}",
  ])
  func `a damaged value is an error that names its key`(text: String) async throws {
    let key = "/galleonfs/v1/volumes/x"
    _ = store.transact([], [.put(key: key, bytes: Array(text.utf8))])
    let refusal = await #expect(throws: Refusal.self) { try await catalog.volumes() }
    #expect(refusal?.message.contains(key) == true)
  }

  @Test func `each field of an entry with a wrong value is an error, never a trap`() async throws {
    _ = try await catalog.insert(entry("data"))
    let stored = try #require(store.list(prefix: "/galleonfs/v1/volumes/").first)
    let text = String(decoding: stored.bytes, as: UTF8.self)
    for (old, new) in [
      ("\"blockSizeBytes\":4096", "\"blockSizeBytes\":5000"), ("\"epoch\":1", "\"epoch\":0"),
      ("\"replicaCount\":3", "\"replicaCount\":-3"), ("\"content\":\"block\"", "\"content\":\"\""),
      ("\"name\":\"data\"", "\"name\":\"../data\""),
      ("\"capacityBytes\":1073741824", "\"capacityBytes\":-1"),
    ] {
      #expect(text.contains(old))
      let damaged = Array(text.replacing(old, with: new).utf8)
      _ = store.transact([], [.put(key: stored.key, bytes: damaged)])
      await #expect(throws: Refusal.self) { try await catalog.volumes() }
    }
  }

  @Test func `classes and nodes come back as they were written`() async throws {
    let storageClass = StorageClass(
      name: "fast", provisioner: "galleonfs.io/x", parameters: ["diskType": "ssd"],
      reclaimPolicy: .retain, bindingMode: .immediate, allowedTopologies: ["z"],
      mountOptions: ["noatime"])
    #expect(try await catalog.insert(storageClass))
    #expect(try await !catalog.insert(storageClass))
    #expect(try await catalog.storageClass("fast") == storageClass)
    #expect(try await catalog.storageClass("../volumes/x") == nil)
    let node = NodeEntry(
      id: "1", name: "n", zone: nil, address: "a:1", controlAddress: "b:2", capacityBytes: 3,
      diskType: nil)
    try await catalog.register(node)
    #expect(try await catalog.nodes() == [node])
  }

  @Test func `the first proposal becomes the cluster's identifier`() async throws {
    let first = UUIDValue(high: 1, low: 2)
    #expect(try await catalog.clusterID(proposing: first) == first)
    #expect(try await catalog.clusterID(proposing: UUIDValue(high: 3, low: 4)) == first)
  }
}
