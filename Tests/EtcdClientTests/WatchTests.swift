import EtcdClient
import Testing

@Suite(.serialized) struct WatchTests {
  @Test func `a watch reports later changes under its prefix, in order`() async throws {
    try await withEtcd { _, client in
      try await client.put("w/before", [])
      var events = try await client.watch(prefix: "w/").makeAsyncIterator()
      let put = try await client.put("w/1", [1])
      try await client.put("other", [])
      try await client.delete("w/1")
      #expect(
        try await events.next()
          == .put(
            EtcdValue(
              key: "w/1", bytes: [1], createRevision: put, modRevision: put, lease: nil)))
      #expect(try await events.next() == .deleted(key: "w/1", revision: put + 2))
    }
  }

  @Test func `a watch from an old revision reports what happened since`() async throws {
    try await withEtcd { _, client in
      let first = try await client.put("w/1", [])
      for number in 2...50 { try await client.put("w/\(number)", []) }
      var events = try await client.watch(prefix: "w/", fromRevision: first).makeAsyncIterator()
      for number in 1...50 { #expect(try await events.next()?.key == "w/\(number)") }
    }
  }

  @Test func `all events of one transaction come, in a batch or not`() async throws {
    try await withEtcd { _, client in
      var events = try await client.watch(prefix: "w/").makeAsyncIterator()
      _ = try await client.transact([], (0..<10).map { .put(key: "w/\($0)", bytes: []) })
      var revisions: Set<Int64> = []
      for number in 0..<10 {
        let event = try await events.next()
        #expect(event?.key == "w/\(number)")
        revisions.insert(event?.revision ?? 0)
      }
      #expect(revisions.count == 1)
    }
  }

  @Test func `a watch goes on over etcd's death without loss or repetition`() async throws {
    try await withEtcd { etcd, client in
      var events = try await client.watch(prefix: "w/").makeAsyncIterator()
      try await client.put("w/1", [])
      #expect(try await events.next()?.key == "w/1")
      etcd.kill()
      try etcd.start()
      // A read may meet the broken connection and is asked again; a change would be interrupted.
      _ = try await client.get("w/1")
      try await client.put("w/2", [])
      try await client.put("w/3", [])
      #expect(try await events.next()?.key == "w/2")
      etcd.kill()
      try etcd.start()
      #expect(try await events.next()?.key == "w/3")
    }
  }

  @Test func `a watch of what was compacted says so`() async throws {
    try await withEtcd { _, client in
      let first = try await client.put("w/1", [])
      let last = try await client.put("w/1", [2])
      try await client.compact(to: last)
      let watch = try await client.watch(prefix: "w/", fromRevision: first)
      let error = await etcdError { for try await _ in watch {} }
      #expect(error == .compacted(oldest: last))
    }
  }

  @Test func `a watch ends when its task is cancelled`() async throws {
    try await withEtcd { _, client in
      let watch = try await client.watch(prefix: "w/")
      let task = Task { await etcdError { for try await _ in watch {} } }
      task.cancel()
      #expect(await task.value == .cancelled(operation: "watch"))
    }
  }
}
