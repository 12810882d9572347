package import DaemonConfiguration
internal import EtcdClient
internal import Synchronization

/// The configuration in etcd.
///
/// A transaction whose answer got lost may have been applied; every caller writes so that doing
/// it again is harmless.
package final class EtcdStore: ConfigurationStore {
  private struct Connection {
    var endpoints: [String]
    var client: EtcdClient
  }

  /// How long one call may take: etcd answers in milliseconds, or not at all.
  private static let timeout = Duration.seconds(3)

  /// Asked at each call: a managed etcd that was started again may have another port.
  private let endpoints: @Sendable () -> [String]
  private let connection = Mutex<Connection?>(nil)

  /// `endpoints` are `HOST:PORT`.
  package init(endpoints: @escaping @Sendable () -> [String]) {
    self.endpoints = endpoints
  }

  package func get(_ key: String) async throws(Refusal) -> StoredValue? {
    try await ask { client throws(EtcdError) in try await client.get(key) }.map(Self.value)
  }

  package func list(prefix: String) async throws(Refusal) -> [StoredValue] {
    try await ask { client throws(EtcdError) in try await client.list(prefix: prefix) }
      .values.map(Self.value)
  }

  package func transact(_ conditions: [StoreCondition], _ changes: [StoreChange])
    async throws(Refusal) -> Bool
  {
    let conditions = conditions.map(Self.condition)
    let changes = changes.map(Self.change)
    let outcome = try await ask { client throws(EtcdError) in
      try await client.transact(conditions, changes)
    }
    return switch outcome {
    case .applied: true
    case .refused: false
    }
  }

  package func status() async throws(Refusal) -> StoreStatus {
    let status = try await ask { client throws(EtcdError) in try await client.status() }
    let members = try await ask { client throws(EtcdError) in try await client.members() }
    return StoreStatus(
      version: status.version, memberCount: members.count,
      databaseBytes: UInt64(clamping: status.databaseByteCount))
  }

  private func ask<Result>(
    _ body: (EtcdClient) async throws(EtcdError) -> Result
  ) async throws(Refusal) -> Result {
    do throws(EtcdError) {
      return try await body(try client())
    } catch {
      throw Refusal(error)
    }
  }

  private func client() throws(EtcdError) -> EtcdClient {
    let endpoints = endpoints()
    if let open = connection.withLock({ $0?.endpoints == endpoints ? $0?.client : nil }) {
      return open
    }
    let client = try EtcdClient(endpoints: endpoints, timeout: Self.timeout)
    connection.withLock { $0 = Connection(endpoints: endpoints, client: client) }
    return client
  }

  private static func value(_ value: EtcdValue) -> StoredValue {
    StoredValue(key: value.key, bytes: value.bytes, revision: value.modRevision)
  }

  private static func condition(_ condition: StoreCondition) -> EtcdCondition {
    switch condition {
    case .absent(let key): .absent(key: key)
    case .unchanged(let key, let revision): .modRevision(key: key, revision)
    }
  }

  private static func change(_ change: StoreChange) -> EtcdChange {
    switch change {
    case .put(let key, let bytes): .put(key: key, bytes: bytes)
    case .delete(let key): .delete(key: key)
    }
  }
}

// The one table from etcd's errors to refusals.
extension Refusal {
  fileprivate init(_ error: EtcdError) {
    let kind: Kind =
      switch error {
      case .unreachable, .deadline, .interrupted, .cancelled: .unavailable
      case .conflict: .busy
      case .invalidEndpoint: .invalid
      case .compacted, .leaseNotFound, .refused, .malformed: .internal
      }
    self.init(kind, "\(error)")
  }
}
