import DaemonConfiguration
import StorageModel
import Synchronization
import Testing

@testable import ClusterControl

@Suite struct VolumeControllerTests {
  let bench: Bench

  init() throws { bench = try Bench() }

  private func kind<Result>(_ body: () async throws -> Result) async -> Refusal.Kind? {
    do {
      _ = try await body()
      return nil
    } catch { return (error as? Refusal)?.kind }
  }

  @Test func `a created volume has an entry and a replica`() async throws {
    let creation = try await bench.create("data")
    #expect(creation.isNew && creation.entry.state == .available)
    #expect(bench.host.state.withLock { $0.replicas[creation.entry.id] } != nil)
    #expect(try await bench.controller.find("data") == creation.entry)
  }

  @Test func `more replicas than nodes give a degraded volume that says so`() async throws {
    let creation = try await bench.create("data", class: "encrypted-storage")
    #expect(creation.entry.isDegraded)
    #expect(creation.remarks.contains { $0.hasPrefix("degraded") })
  }

  @Test func `the same creation again is refused, or given back where that is asked`() async throws
  {
    let first = try await bench.create("data")
    #expect(await kind { try await bench.create("data") } == .alreadyExists)
    let again = try await bench.create("data", acceptsExisting: true)
    #expect(again.entry == first.entry && !again.isNew)
  }

  @Test func `another volume of the same name is refused with the difference`() async throws {
    _ = try await bench.create("data")
    let refusal = await #expect(throws: Refusal.self) {
      try await bench.create("data", size: 2 << 30, acceptsExisting: true)
    }
    #expect(refusal?.kind == .alreadyExists)
    #expect(refusal?.message.contains("size") == true)
  }

  @Test func `a creation that fails leaves nothing`() async throws {
    bench.host.state.withLock { $0.nextFailure = Refusal(.exhausted, "full") }
    #expect(await kind { try await bench.create("data") } == .exhausted)
    #expect(try await bench.controller.volumes().isEmpty)
    _ = try await bench.create("data")
  }

  @Test func `a busy volume refuses the second operation at once`() async throws {
    bench.host.state.withLock { $0.holdsCreations = true }
    async let first = bench.create("data")
    while bench.host.state.withLock({ $0.gate == nil }) { await Task.yield() }
    #expect(await kind { try await bench.create("data") } == .busy)
    #expect(await kind { try await bench.controller.delete("data") } == .busy)
    bench.host.state.withLock { state in
      state.holdsCreations = false
      state.gate?.resume()
    }
    _ = try await first
    _ = try await bench.controller.delete("data")
  }

  @Test func `a volume in use is not deleted and stays available`() async throws {
    let entry = try await bench.create("data").entry
    bench.host.state.withLock { $0.mounted[entry.id] = ["/mnt/data"] }
    let refusal = await #expect(throws: Refusal.self) {
      try await bench.controller.delete("data")
    }
    #expect(refusal?.kind == .precondition && refusal?.message.contains("/mnt/data") == true)
    #expect(try await bench.controller.find("data").state == .available)
  }

  @Test func `a deletion that was refused in between leaves the volume available`() async throws {
    _ = try await bench.create("data")
    bench.host.state.withLock { $0.nextFailure = .precondition("in use") }
    #expect(await kind { try await bench.controller.delete("data") } == .precondition)
    #expect(try await bench.controller.find("data").state == .available)
  }

  @Test func `a deletion that failed is finished later`() async throws {
    let entry = try await bench.create("data").entry
    bench.host.state.withLock { $0.nextFailure = Refusal(.internal, "I/O") }
    #expect(await kind { try await bench.controller.delete("data") } == .internal)
    #expect(try await bench.controller.find("data").state == .deleting)
    try await bench.controller.reconcile()
    #expect(await kind { try await bench.controller.find("data") } == .notFound)
    #expect(bench.host.state.withLock { $0.replicas[entry.id] } == nil)
  }

  @Test func `a creation that was interrupted is finished later`() async throws {
    let entry = try await bench.create("data").entry
    _ = try await bench.controller.catalog.update(entry.id) { $0.state = .creating }
    bench.host.state.withLock { $0.replicas = [:] }
    try await bench.controller.reconcile()
    #expect(try await bench.controller.find("data").state == .available)
    #expect(bench.host.state.withLock { $0.replicas.count } == 1)
  }

  @Test func `an empty store is rebuilt from the pool`() async throws {
    let entry = try await bench.create("data", class: "encrypted-storage").entry
    for value in bench.store.list(prefix: VolumeCatalog.root) {
      _ = bench.store.transact([], [.delete(key: value.key)])
    }
    try await bench.controller.reconcile()
    let found = try await bench.controller.find("data")
    #expect(found.specification == entry.specification)
    #expect(found.reclaimPolicy == .retain && found.state == .available && found.isDegraded)
  }

  @Test func `a volume of another node is left alone`() async throws {
    let entry = try await bench.create("data").entry
    _ = try await bench.controller.catalog.reconfigure(
      entry.id, expected: .first, primary: "node-2", members: ["node-2"], learners: [])
    #expect(await kind { try await bench.controller.delete("data") } == .precondition)
    #expect(
      await kind { try await bench.controller.expand("data", toBytes: 2 << 30) } == .precondition)
    _ = try await bench.controller.catalog.update(entry.id) { $0.state = .deleting }
    try await bench.controller.reconcile()
    #expect(try await bench.controller.find("data").members == ["node-2"])
  }

  @Test func `other nodes in the same etcd do not make replicas whole`() async throws {
    for id in ["node-2", "node-3"] {
      try await bench.controller.catalog.register(
        NodeEntry(
          id: id, name: id, zone: "z", address: "a:1", controlAddress: "a:2", capacityBytes: 1,
          diskType: nil))
    }
    #expect(
      try await bench.create("data", class: "distributed").remarks.contains {
        $0.hasPrefix("degraded")
      })
  }

  @Test func `expanding grows and never shrinks`() async throws {
    let entry = try await bench.create("data").entry
    let grown = try await bench.controller.expand("data", toBytes: 2 << 30)
    #expect(grown.specification.capacityBytes == 2 << 30)
    #expect(
      bench.host.state.withLock { $0.replicas[entry.id]?.specification.capacityBytes } == 2 << 30)
    #expect(
      await kind { try await bench.controller.expand("data", toBytes: 1 << 30) } == .outOfRange)
    #expect(
      await kind { try await bench.controller.expand("data", toBytes: 101 << 30) } == .outOfRange)
  }

  @Test func `classes can be made and deleted, built-in ones not`() async throws {
    var own = try #require(BuiltInStorageClasses.all.first)
    #expect(await kind { try await bench.controller.createStorageClass(own) } == .alreadyExists)
    own.name = "mine"
    try await bench.controller.createStorageClass(own)
    #expect(try await bench.controller.storageClasses().map(\.name).contains("mine"))
    try await bench.controller.deleteStorageClass("mine")
    #expect(await kind { try await bench.controller.deleteStorageClass("mine") } == .notFound)
    #expect(
      await kind { try await bench.controller.deleteStorageClass("distributed") } == .precondition)
  }

  @Test func `a class that does not exist is refused with the nearest`() async {
    let refusal = await #expect(throws: Refusal.self) {
      try await bench.controller.storageClass("fast-local-sdd")
    }
    #expect(refusal?.message.contains("fast-local-ssd") == true)
  }
}
