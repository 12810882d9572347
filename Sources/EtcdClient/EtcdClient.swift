package import GRPC
import Messages

/// A client of an etcd cluster (v3 API, 3.4 and later).
///
/// Uses one endpoint and goes to the next when it fails. Reads are linearizable and asked again
/// elsewhere; a change is sent once, and a failure after that is `interrupted`. Every operation
/// is bounded by `timeout`.
package final class EtcdClient: Sendable {
  let endpoints: EndpointSet
  /// Bound of each operation, connecting included.
  package let timeout: Duration

  /// Endpoints are `http://host:port`, `https://host:port` or `host:port`. Without `security`, https
  /// means TLS with the system's roots. Nothing is sent yet.
  package init(
    endpoints: [String], security: ClientSecurity? = nil, timeout: Duration = .seconds(10)
  ) throws(EtcdError) {
    self.endpoints = try EndpointSet(endpoints, security: security)
    self.timeout = timeout
  }
}

// Reading.
extension EtcdClient {
  /// nil for a key that does not exist.
  package func get(_ key: String) async throws(EtcdError) -> EtcdValue? {
    let request = Etcd.RangeRequest(key: Array(key.utf8))
    return try await range(request).kvs.first.map { EtcdValue($0) }
  }

  /// All keys that begin with `prefix`, in order, as they stand together; empty means all keys.
  package func list(prefix: String) async throws(EtcdError) -> EtcdSnapshot {
    let request = Etcd.RangeRequest(
      key: rangeStart(prefix: prefix), rangeEnd: rangeEnd(prefix: prefix))
    let response = try await range(request)
    return EtcdSnapshot(
      values: response.kvs.map { EtcdValue($0) }, revision: response.header?.revision ?? 0)
  }

  /// The revision of the last change of any key.
  package func currentRevision() async throws(EtcdError) -> Int64 {
    let request = Etcd.RangeRequest(key: [0], countOnly: true)
    return try await range(request).header?.revision ?? 0
  }

  private func range(_ request: Etcd.RangeRequest) async throws(EtcdError) -> Etcd.RangeResponse {
    try await endpoints.call(
      Etcd.KVService.range, request, changes: false, timeout: timeout)
  }
}

// Changing.
extension EtcdClient {
  /// Returns the revision of the change. With a lease, the key ends when the lease does.
  @discardableResult
  package func put(
    _ key: String, _ bytes: [UInt8], lease: EtcdLeaseID? = nil
  ) async throws(EtcdError) -> Int64 {
    let request = Etcd.PutRequest(
      key: Array(key.utf8), value: bytes, lease: lease?.rawValue ?? 0)
    let response = try await leaseChecked(lease) { () throws(EtcdError) in
      try await self.endpoints.call(
        Etcd.KVService.put, request, changes: true, timeout: self.timeout)
    }
    return response.header?.revision ?? 0
  }

  /// False when there was no such key.
  @discardableResult
  package func delete(_ key: String) async throws(EtcdError) -> Bool {
    let request = Etcd.DeleteRangeRequest(key: Array(key.utf8))
    return try await delete(request) > 0
  }

  /// Deletes all keys that begin with `prefix`, which must not be empty; returns how many.
  @discardableResult
  package func delete(prefix: String) async throws(EtcdError) -> Int {
    precondition(!prefix.isEmpty, "an empty prefix would delete every key of the cluster")
    return try await delete(
      Etcd.DeleteRangeRequest(
        key: rangeStart(prefix: prefix), rangeEnd: rangeEnd(prefix: prefix)))
  }

  private func delete(_ request: Etcd.DeleteRangeRequest) async throws(EtcdError) -> Int {
    let response = try await endpoints.call(
      Etcd.KVService.deleteRange, request, changes: true, timeout: timeout)
    return Int(response.deleted)
  }

  /// Makes all changes if every condition holds, none otherwise. No key may be changed twice.
  package func transact(
    _ conditions: [EtcdCondition], _ changes: [EtcdChange]
  ) async throws(EtcdError) -> EtcdOutcome {
    let request = Etcd.TxnRequest(
      compare: conditions.map(\.message), success: changes.map(\.message),
      failure: conditions.map { condition in
        Etcd.RequestOp(request: .requestRange(Etcd.RangeRequest(key: Array(condition.key.utf8))))
      })
    let response = try await leaseChecked(changes.lazy.compactMap(\.lease).first) {
      () throws(EtcdError) in
      try await self.endpoints.call(
        Etcd.KVService.txn, request, changes: true, timeout: self.timeout)
    }
    let revision = response.header?.revision ?? 0
    guard !response.succeeded else { return .applied(revision: revision) }
    let current = response.responses.map { operation -> EtcdValue? in
      guard case .responseRange(let range)? = operation.response else { return nil }
      return range.kvs.first.map { EtcdValue($0) }
    }
    guard current.count == conditions.count else {
      throw .malformed(
        operation: "txn", reason: "\(current.count) answers to \(conditions.count) conditions")
    }
    return .refused(current: current, revision: revision)
  }

  /// Writes if the key's last change was at `revision`; 0 stands for a key that does not exist.
  /// Returns the new revision. Throws `conflict` with what is there instead.
  @discardableResult
  package func compareAndSwap(
    _ key: String, _ bytes: [UInt8], expectedRevision revision: Int64, lease: EtcdLeaseID? = nil
  ) async throws(EtcdError) -> Int64 {
    let outcome = try await transact(
      [.modRevision(key: key, revision)], [.put(key: key, bytes: bytes, lease: lease)])
    switch outcome {
    case .applied(let revision): return revision
    case .refused(let current, _): throw .conflict(key: key, current: current.first ?? nil)
    }
  }

  /// Deletes if the key's last change was at `revision`. Throws `conflict` otherwise.
  package func compareAndDelete(
    _ key: String, expectedRevision revision: Int64
  ) async throws(EtcdError) {
    let outcome = try await transact(
      [.modRevision(key: key, revision)], [.delete(key: key)])
    guard case .refused(let current, _) = outcome else { return }
    throw .conflict(key: key, current: current.first ?? nil)
  }

  /// Drops the history before `revision`.
  package func compact(to revision: Int64) async throws(EtcdError) {
    _ = try await endpoints.call(
      Etcd.KVService.compact, Etcd.CompactionRequest(revision: revision, physical: true),
      changes: true, timeout: timeout)
  }

  private func leaseChecked<Result>(
    _ lease: EtcdLeaseID?, _ body: () async throws(EtcdError) -> Result
  ) async throws(EtcdError) -> Result {
    do throws(EtcdError) {
      return try await body()
    } catch {
      guard let lease, case .refused(_, let status) = error, status.code == .notFound else {
        throw error
      }
      throw .leaseNotFound(lease)
    }
  }
}

// The cluster.
extension EtcdClient {
  /// All members, as the cluster agrees on them.
  package func members() async throws(EtcdError) -> [EtcdMember] {
    let response = try await endpoints.call(
      Etcd.ClusterService.memberList, Etcd.MemberListRequest(linearizable: true), changes: false,
      timeout: timeout)
    return response.members.map { EtcdMember($0) }
  }

  /// What the member behind the endpoint in use tells of itself.
  package func status() async throws(EtcdError) -> EtcdStatus {
    let response = try await endpoints.call(
      Etcd.MaintenanceService.status, Etcd.StatusRequest(), changes: false, timeout: timeout)
    return EtcdStatus(
      version: response.version, memberID: response.header?.memberID ?? 0,
      leaderID: response.leader, databaseByteCount: response.dbSize,
      revision: response.header?.revision ?? 0, errors: response.errors)
  }
}

/// First key of all that begin with `prefix`.
func rangeStart(prefix: String) -> [UInt8] { prefix.isEmpty ? [0] : Array(prefix.utf8) }

/// First key after all that begin with `prefix`, as etcd takes it: a single 0 means no end.
func rangeEnd(prefix: String) -> [UInt8] {
  var end = Array(prefix.utf8)
  while let last = end.popLast() {
    if last < 0xFF { return end + [last + 1] }
  }
  return [0]
}

extension EtcdCondition {
  var message: Etcd.Compare {
    switch self {
    case .absent(let key):
      Etcd.Compare(
        result: .equal, target: .create, key: Array(key.utf8), targetUnion: .createRevision(0))
    case .exists(let key):
      Etcd.Compare(
        result: .greater, target: .create, key: Array(key.utf8), targetUnion: .createRevision(0))
    case .modRevision(let key, let revision):
      Etcd.Compare(
        result: .equal, target: .mod, key: Array(key.utf8), targetUnion: .modRevision(revision))
    case .createRevision(let key, let revision):
      Etcd.Compare(
        result: .equal, target: .create, key: Array(key.utf8),
        targetUnion: .createRevision(revision))
    }
  }
}

extension EtcdChange {
  var lease: EtcdLeaseID? {
    guard case .put(_, _, let lease) = self else { return nil }
    return lease
  }

  var message: Etcd.RequestOp {
    switch self {
    case .put(let key, let bytes, let lease):
      Etcd.RequestOp(
        request: .requestPut(
          Etcd.PutRequest(
            key: Array(key.utf8), value: bytes, lease: lease?.rawValue ?? 0)))
    case .delete(let key):
      Etcd.RequestOp(
        request: .requestDeleteRange(Etcd.DeleteRangeRequest(key: Array(key.utf8))))
    case .deletePrefix(let prefix):
      Etcd.RequestOp(
        request: .requestDeleteRange(
          Etcd.DeleteRangeRequest(
            key: rangeStart(prefix: prefix), rangeEnd: rangeEnd(prefix: prefix))))
    }
  }
}
