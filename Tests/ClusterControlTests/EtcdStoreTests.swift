import DaemonConfiguration
import Glibc
import StorageModel
import Testing

@testable import ClusterControl

/// The catalogue against a real etcd.
@Suite(.serialized) struct EtcdStoreTests {
  private let directory = TemporaryDirectory()

  /// A supervisor that was started, and a store on it that answers.
  private func start() async throws -> (etcd: EtcdSupervisor, store: EtcdStore) {
    let etcd = try EtcdSupervisor(
      storagePath: directory.path, searchPath: "/usr/local/bin:/usr/bin")
    try etcd.start()
    let store = EtcdStore(endpoints: { [etcd.endpoint] })
    try await answer(store)
    return (etcd, store)
  }

  private func answer(_ store: EtcdStore) async throws {
    var last: Refusal?
    for _ in 0..<5 {
      do throws(Refusal) {
        _ = try await store.status()
        return
      } catch { last = error }
    }
    if let last { throw last }
  }

  @Test func `conditions are honoured and revisions rise`() async throws {
    let (etcd, store) = try await start()
    defer { etcd.stop() }
    let put = StoreChange.put(key: "/a/1", bytes: [1])
    #expect(try await store.transact([.absent(key: "/a/1")], [put]))
    #expect(try await !store.transact([.absent(key: "/a/1")], [put]))
    let first = try #require(try await store.get("/a/1"))
    #expect(first.bytes == [1])
    let condition = StoreCondition.unchanged(key: "/a/1", revision: first.revision)
    #expect(try await store.transact([condition], [.put(key: "/a/1", bytes: [2])]))
    #expect(try await !store.transact([condition], [.delete(key: "/a/1")]))
    let second = try #require(try await store.get("/a/1"))
    #expect(second.bytes == [2] && second.revision > first.revision)
    let others = [StoreChange.put(key: "/a/2", bytes: []), .put(key: "/b", bytes: [3])]
    #expect(try await store.transact([], others))
    #expect(try await store.list(prefix: "/a/").map(\.key) == ["/a/1", "/a/2"])
    #expect(try await store.transact([], [.delete(key: "/a/1")]))
    #expect(try await store.get("/a/1") == nil)
    #expect(try await store.status().memberCount == 1)
  }

  @Test func `what was written survives the death of etcd, whatever port it has then`() async throws
  {
    let (etcd, store) = try await start()
    defer { etcd.stop() }
    let catalog = VolumeCatalog(store)
    let id = try await catalog.clusterID(proposing: UUIDValue(high: 1, low: 2))
    kill(try #require(etcd.processID), SIGKILL)
    try await answer(store)
    #expect(try await catalog.clusterID(proposing: UUIDValue(high: 3, low: 4)) == id)
  }

  @Test func `an etcd that is not there is unavailable, not a hang`() async {
    let store = EtcdStore(endpoints: { ["127.0.0.1:1", "127.0.0.1:2"] })
    let refusal = await #expect(throws: Refusal.self) { try await store.get("x") }
    #expect(refusal?.kind == .unavailable)
    #expect(refusal?.message.contains("127.0.0.1:1") == true)
  }
}
