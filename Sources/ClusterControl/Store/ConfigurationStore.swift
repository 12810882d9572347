package import DaemonConfiguration

/// A small strongly consistent store of the cluster's configuration: etcd, or memory in tests.
///
/// Invariants: a transaction is applied whole or not at all, and is durable when it returns;
/// revisions only rise; reads see every transaction that returned before.
package protocol ConfigurationStore: Sendable {
  func get(_ key: String) async throws(Refusal) -> StoredValue?

  /// All keys that begin with `prefix`, in order.
  func list(prefix: String) async throws(Refusal) -> [StoredValue]

  /// Applies the changes if every condition holds; false if one does not.
  func transact(_ conditions: [StoreCondition], _ changes: [StoreChange]) async throws(Refusal)
    -> Bool

  /// Whether the store answers, and what it is.
  func status() async throws(Refusal) -> StoreStatus
}

/// A value with the revision of its last change.
package struct StoredValue: Hashable, Sendable {
  package var key: String
  package var bytes: [UInt8]
  package var revision: Int64

  package init(key: String, bytes: [UInt8], revision: Int64) {
    self.key = key
    self.bytes = bytes
    self.revision = revision
  }
}

package enum StoreCondition: Hashable, Sendable {
  case absent(key: String)
  case unchanged(key: String, revision: Int64)
}

package enum StoreChange: Hashable, Sendable {
  case put(key: String, bytes: [UInt8])
  case delete(key: String)
}

/// What the store tells of itself.
package struct StoreStatus: Hashable, Sendable {
  package var version: String
  package var memberCount: Int
  package var databaseBytes: UInt64

  package init(version: String, memberCount: Int, databaseBytes: UInt64) {
    self.version = version
    self.memberCount = memberCount
    self.databaseBytes = databaseBytes
  }
}
