import EtcdClient
import Testing

@Suite(.serialized) struct FailureTests {
  @Test func `nobody there is unreachable, with the endpoints`() async throws {
    let endpoints = ["http://127.0.0.1:1", "http://127.0.0.1:2"]
    let client = try EtcdClient(endpoints: endpoints, timeout: .milliseconds(500))
    for body in [{ _ = try await client.get("a") }, { _ = try await client.put("a", []) }]
      as [@Sendable () async throws -> Void]
    {
      guard case .unreachable(let told, _)? = await etcdError(body) else {
        Issue.record("not unreachable")
        continue
      }
      #expect(told == endpoints)
    }
  }

  @Test func `a dead endpoint is passed over`() async throws {
    let etcd = try EtcdProcess()
    let client = try EtcdClient(
      endpoints: ["http://127.0.0.1:1", etcd.endpoint], timeout: .seconds(30))
    let revision = try await client.put("a", [1])
    #expect(try await client.get("a")?.modRevision == revision)
  }

  @Test func `a restarted etcd is used again with its data`() async throws {
    try await withEtcd { etcd, client in
      try await client.put("a", [1])
      etcd.kill()
      try etcd.start()
      #expect(try await client.get("a")?.bytes == [1])
      try await client.put("a", [2])
    }
  }

  @Test func `a change whose answer is lost is interrupted, a read late`() async throws {
    let etcd = try EtcdProcess()
    let patient = try EtcdClient(endpoints: [etcd.endpoint], timeout: .seconds(30))
    try await patient.put("a", [1])
    let client = try EtcdClient(endpoints: [etcd.endpoint], timeout: .milliseconds(500))
    #expect(try await client.get("a")?.bytes == [1])
    etcd.pause()
    let change = await etcdError { try await client.put("a", [2]) }
    let read = await etcdError { _ = try await client.get("a") }
    etcd.resume()
    guard case .interrupted? = change else {
      Issue.record("\(String(describing: change))")
      return
    }
    guard case .deadline? = read else {
      Issue.record("\(String(describing: read))")
      return
    }
  }

  @Test func `cancelling the task cancels the request`() async throws {
    let etcd = try EtcdProcess()
    let client = try EtcdClient(endpoints: [etcd.endpoint], timeout: .seconds(30))
    try await client.put("a", [1])
    etcd.pause()
    let task = Task { await etcdError { _ = try await client.get("a") } }
    task.cancel()
    guard case .cancelled? = await task.value else {
      Issue.record("not cancelled")
      return
    }
  }
}
