import EtcdClient
import Testing

@Suite(.serialized) struct KeyTests {
  @Test func `what was put is read, listed and deleted`() async throws {
    try await withEtcd { _, client in
      #expect(try await client.get("a/1") == nil)
      let first = try await client.put("a/1", bytes("one"))
      let second = try await client.put("a/2", bytes(""))
      try await client.put("b/1", [0, 255])
      #expect(second == first + 1)
      #expect(
        try await client.get("a/1")
          == EtcdValue(
            key: "a/1", bytes: bytes("one"), createRevision: first, modRevision: first, lease: nil))
      #expect(try await client.list(prefix: "a/").values.map(\.key) == ["a/1", "a/2"])
      let all = try await client.list(prefix: "")
      #expect(all.values.map(\.bytes) == [bytes("one"), [], [0, 255]])
      #expect(all.revision == second + 1)
      #expect(try await client.currentRevision() == second + 1)
      #expect(try await client.delete("a/1"))
      #expect(try await !client.delete("a/1"))
      #expect(try await client.delete(prefix: "a/") == 1)
      #expect(try await client.list(prefix: "").values.map(\.key) == ["b/1"])
    }
  }

  @Test func `a swap succeeds from the expected revision and shows the value otherwise`()
    async throws
  {
    try await withEtcd { _, client in
      let created = try await client.compareAndSwap("k", bytes("1"), expectedRevision: 0)
      let again = await etcdError {
        try await client.compareAndSwap("k", bytes("2"), expectedRevision: 0)
      }
      let held = EtcdValue(
        key: "k", bytes: bytes("1"), createRevision: created, modRevision: created, lease: nil)
      #expect(again == .conflict(key: "k", current: held))
      let swapped = try await client.compareAndSwap("k", bytes("2"), expectedRevision: created)
      let stale = await etcdError {
        try await client.compareAndDelete("k", expectedRevision: created)
      }
      #expect(
        stale
          == .conflict(
            key: "k",
            current: EtcdValue(
              key: "k", bytes: bytes("2"), createRevision: created, modRevision: swapped,
              lease: nil)))
      try await client.compareAndDelete("k", expectedRevision: swapped)
      let gone = await etcdError {
        try await client.compareAndSwap("k", bytes("3"), expectedRevision: swapped)
      }
      #expect(gone == .conflict(key: "k", current: nil))
    }
  }

  @Test func `a transaction is applied whole or not at all`() async throws {
    try await withEtcd { _, client in
      let revision = try await client.put("x", bytes("x"))
      let refused = try await client.transact(
        [.modRevision(key: "x", revision), .exists(key: "y")],
        [.delete(key: "x"), .put(key: "z", bytes: [])])
      guard case .refused(let current, _) = refused else {
        Issue.record("applied")
        return
      }
      #expect(current.map { $0?.key } == ["x", nil])
      #expect(try await client.list(prefix: "").values.map(\.key) == ["x"])
      let applied = try await client.transact(
        [.createRevision(key: "x", revision), .absent(key: "y")],
        [.deletePrefix("x"), .put(key: "y", bytes: [1]), .put(key: "z", bytes: [2])])
      #expect(applied == .applied(revision: revision + 1))
      #expect(try await client.list(prefix: "").values.map(\.key) == ["y", "z"])
    }
  }

  @Test func `of many who increment at once every increment counts`() async throws {
    try await withEtcd { _, client in
      try await client.put("n", bytes("0"))
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<8 { group.addTask { for _ in 0..<10 { await increment(client) } } }
      }
      #expect(try await client.get("n")?.bytes == bytes("80"))
    }
  }

  @Test func `the cluster tells its members and status`() async throws {
    try await withEtcd { etcd, client in
      let members = try await client.members()
      #expect(members.map(\.name) == ["one"])
      #expect(members.map(\.clientURLs) == [[etcd.endpoint]])
      let status = try await client.status()
      #expect(status.version.hasPrefix("3."))
      #expect(status.leaderID == members.first?.id)
      #expect(status.databaseByteCount > 0)
    }
  }

  @Test(arguments: ["", "host", "ftp://host:1", "http://host", "host:0", "http://host:1/path"])
  func `what is no endpoint is refused`(text: String) async {
    let error = await etcdError { _ = try EtcdClient(endpoints: [text]) }
    #expect(error == .invalidEndpoint(text))
  }

  private func increment(_ client: EtcdClient) async {
    while true {
      guard let value = try? await client.get("n"),
        let number = Int(String(decoding: value.bytes, as: UTF8.self))
      else { continue }
      let next = bytes("\(number + 1)")
      let error = await etcdError {
        try await client.compareAndSwap("n", next, expectedRevision: value.modRevision)
      }
      if error == nil { return }
    }
  }
}
