/// Elects one leader among candidates: who creates the key, under a lease, leads until the key is
/// gone.
///
/// The leader's `leadership.condition` in its transactions makes etcd refuse them once it leads no
/// longer, whatever its own clock says.
package struct EtcdElection: Sendable {
  private let client: EtcdClient
  /// The key that the leader holds.
  package let key: String

  package init(_ client: EtcdClient, key: String) {
    self.client = client
    self.key = key
  }

  /// Waits until this candidate leads. `value` tells the others who it is.
  ///
  /// Throws `leaseNotFound` when the lease ends first.
  package func campaign(
    _ value: [UInt8], lease: EtcdLease
  ) async throws -> EtcdLeadership {
    while true {
      if Task.isCancelled { throw EtcdError.cancelled(operation: "campaign") }
      guard lease.isAlive else { throw EtcdError.leaseNotFound(lease.id) }
      switch try await stand(value, lease: lease) {
      case .applied(let revision):
        return EtcdLeadership(client: client, key: key, createRevision: revision, lease: lease)
      case .refused(let current, let revision):
        guard let current = current.first ?? nil else { continue }
        if current.lease == lease.id {
          return EtcdLeadership(
            client: client, key: key, createRevision: current.createRevision, lease: lease)
        }
        try await waitForVacancy(after: revision, lease: lease)
      }
    }
  }

  /// Tries to create the key. When the answer was lost, the next try finds who holds it.
  private func stand(_ value: [UInt8], lease: EtcdLease) async throws(EtcdError) -> EtcdOutcome {
    while true {
      do throws(EtcdError) {
        return try await client.transact(
          [.absent(key: key)], [.put(key: key, bytes: value, lease: lease.id)])
      } catch {
        guard case .interrupted = error, lease.isAlive, !Task.isCancelled else { throw error }
      }
    }
  }

  private func waitForVacancy(after revision: Int64, lease: EtcdLease) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          for try await event in try await client.watch(key: key, fromRevision: revision + 1) {
            if case .deleted = event { return }
          }
        } catch EtcdError.compacted {
          // Whether the key is vacant shows when we stand again.
        }
      }
      group.addTask { await lease.waitUntilLost() }
      try await group.next()
      group.cancelAll()
    }
  }

  /// Who leads now; nil for nobody.
  package func leader() async throws(EtcdError) -> EtcdValue? { try await client.get(key) }

  /// Who leads, now and after each change; nil for nobody.
  ///
  /// A slow reader misses all but the newest. Ends with an error of etcd's.
  package func observe() -> AsyncThrowingStream<EtcdValue?, any Error> {
    let (stream, continuation) = AsyncThrowingStream.makeStream(
      of: EtcdValue?.self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(1))
    let task = Task {
      do {
        while true { try await report(to: continuation) }
      } catch {
        continuation.finish(throwing: error)
      }
    }
    continuation.onTermination = { _ in task.cancel() }
    return stream
  }

  /// Returns when the history was compacted: the leader must be read anew.
  private func report(
    to continuation: AsyncThrowingStream<EtcdValue?, any Error>.Continuation
  ) async throws {
    // The prefix finds the key itself; others that begin with it are passed over.
    let snapshot = try await client.list(prefix: key)
    continuation.yield(snapshot.values.first { $0.key == key })
    do {
      for try await event in try await client.watch(key: key, fromRevision: snapshot.revision + 1) {
        switch event {
        case .put(let value): continuation.yield(value)
        case .deleted: continuation.yield(nil)
        }
      }
    } catch EtcdError.compacted {
      return
    }
  }
}

/// A won election.
package struct EtcdLeadership: Sendable {
  fileprivate let client: EtcdClient
  package let key: String
  /// Rises with every leader: a fencing token.
  package let createRevision: Int64
  package let lease: EtcdLease

  fileprivate init(client: EtcdClient, key: String, createRevision: Int64, lease: EtcdLease) {
    self.client = client
    self.key = key
    self.createRevision = createRevision
    self.lease = lease
  }

  /// Holds as long as this leader leads.
  package var condition: EtcdCondition { .createRevision(key: key, createRevision) }

  /// Changes what the others see of the leader. Throws `conflict` when it leads no longer.
  package func proclaim(_ value: [UInt8]) async throws(EtcdError) {
    let outcome = try await client.transact(
      [condition], [.put(key: key, bytes: value, lease: lease.id)])
    guard case .refused(let current, _) = outcome else { return }
    throw .conflict(key: key, current: current.first ?? nil)
  }

  /// Gives the leadership up. Does nothing when it is lost already.
  package func resign() async throws(EtcdError) {
    _ = try await client.transact([condition], [.delete(key: key)])
  }
}
