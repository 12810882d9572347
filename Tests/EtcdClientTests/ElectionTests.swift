import EtcdClient
import Testing

@Suite(.serialized) struct ElectionTests {
  @Test func `a key ends with its lease`() async throws {
    try await withEtcd { _, client in
      let lease = try await client.grantLease(timeToLive: .seconds(60))
      try await client.put("l/1", [], lease: lease)
      #expect(try await client.get("l/1")?.lease == lease)
      #expect(try await client.renewLease(lease) == .seconds(60))
      try await client.revokeLease(lease)
      #expect(try await client.get("l/1") == nil)
      try await client.revokeLease(lease)
      #expect(
        await etcdError { try await client.put("l/2", [], lease: lease) } == .leaseNotFound(lease))
      #expect(await etcdError { _ = try await client.renewLease(lease) } == .leaseNotFound(lease))
    }
  }

  @Test func `a lease that is kept outlives its time, and ends when it is dropped`() async throws {
    try await withEtcd { _, client in
      var lease: EtcdLease? = try await client.keepLease(timeToLive: .seconds(2))
      let id = try #require(lease?.id)
      try await client.put("l/1", [], lease: id)
      var events = try await client.watch(key: "l/1").makeAsyncIterator()
      let granted = try #require(lease?.expiry)
      while let expiry = lease?.expiry, expiry < granted + .seconds(2) {
        try await Task.sleep(until: expiry - .milliseconds(500), clock: .continuous)
      }
      #expect(lease?.isAlive == true)
      #expect(try await client.get("l/1") != nil)
      lease = nil
      guard case .deleted? = try await events.next() else {
        Issue.record("the key did not end")
        return
      }
    }
  }

  @Test func `a lease that is revoked elsewhere is noticed`() async throws {
    try await withEtcd { _, client in
      let lease = try await client.keepLease(timeToLive: .seconds(3))
      try await client.revokeLease(lease.id)
      await lease.waitUntilLost()
      #expect(!lease.isAlive)
    }
  }

  @Test func `one leads, the next follows when it resigns, observers see both`() async throws {
    try await withEtcd { _, client in
      let election = EtcdElection(client, key: "leader")
      var seen = election.observe().makeAsyncIterator()
      #expect(try await seen.next() == .some(nil))
      let first = try await client.keepLease(timeToLive: .seconds(30))
      let second = try await client.keepLease(timeToLive: .seconds(30))
      let leadership = try await election.campaign(bytes("first"), lease: first)
      #expect(try await seen.next()??.bytes == bytes("first"))
      async let next = election.campaign(bytes("second"), lease: second)
      try await leadership.proclaim(bytes("first again"))
      #expect(try await election.leader()?.bytes == bytes("first again"))
      try await leadership.resign()
      let successor = try await next
      #expect(successor.createRevision > leadership.createRevision)
      #expect(try await election.leader()?.bytes == bytes("second"))
      guard case .conflict? = await etcdError({ try await leadership.proclaim([]) }) else {
        Issue.record("a former leader may still proclaim")
        return
      }
      try await leadership.resign()
      #expect(try await election.leader()?.bytes == bytes("second"))
      let fenced = try await client.transact([leadership.condition], [.put(key: "x", bytes: [])])
      guard case .refused = fenced else {
        Issue.record("a former leader may still write")
        return
      }
    }
  }

  @Test func `a leader whose lease ends is followed by the next`() async throws {
    try await withEtcd { _, client in
      let election = EtcdElection(client, key: "leader")
      let first = try await client.keepLease(timeToLive: .seconds(30))
      let second = try await client.keepLease(timeToLive: .seconds(30))
      let leadership = try await election.campaign(bytes("first"), lease: first)
      async let next = election.campaign(bytes("second"), lease: second)
      try await client.revokeLease(first.id)
      #expect(try await next.createRevision > leadership.createRevision)
    }
  }

  @Test func `a candidate whose lease ends stops standing`() async throws {
    try await withEtcd { _, client in
      let election = EtcdElection(client, key: "leader")
      let first = try await client.keepLease(timeToLive: .seconds(30))
      let second = try await client.keepLease(timeToLive: .seconds(3))
      _ = try await election.campaign(bytes("first"), lease: first)
      async let next = etcdError { _ = try await election.campaign([], lease: second) }
      try await client.revokeLease(second.id)
      #expect(await next == .leaseNotFound(second.id))
    }
  }
}
