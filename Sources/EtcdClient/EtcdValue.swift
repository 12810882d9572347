import Messages

/// A key with its value.
package struct EtcdValue: Hashable, Sendable {
  package let key: String
  package let bytes: [UInt8]
  /// Revision at which the key came into being.
  package let createRevision: Int64
  /// Revision of its last change.
  package let modRevision: Int64
  /// The lease with which the key ends; nil for none.
  package let lease: EtcdLeaseID?

  package init(
    key: String, bytes: [UInt8], createRevision: Int64, modRevision: Int64, lease: EtcdLeaseID?
  ) {
    self.key = key
    self.bytes = bytes
    self.createRevision = createRevision
    self.modRevision = modRevision
    self.lease = lease
  }
}

/// Values as they stood together at one revision.
package struct EtcdSnapshot: Hashable, Sendable {
  /// In order of their keys.
  package let values: [EtcdValue]
  /// A watch from the next revision on misses nothing and repeats nothing.
  package let revision: Int64
}

/// What must hold for a transaction to be applied.
package enum EtcdCondition: Hashable, Sendable {
  case absent(key: String)
  case exists(key: String)
  /// The key's last change was at this revision.
  case modRevision(key: String, Int64)
  /// The key came into being at this revision: whoever holds it holds it still.
  case createRevision(key: String, Int64)

  package var key: String {
    switch self {
    case .absent(let key), .exists(let key): key
    case .modRevision(let key, _), .createRevision(let key, _): key
    }
  }
}

/// A change of a transaction.
package enum EtcdChange: Hashable, Sendable {
  case put(key: String, bytes: [UInt8], lease: EtcdLeaseID? = nil)
  case delete(key: String)
  case deletePrefix(String)
}

/// What became of a transaction.
package enum EtcdOutcome: Hashable, Sendable {
  /// All changes were made, at this revision.
  case applied(revision: Int64)
  /// A condition did not hold and nothing was changed: the values of the conditions' keys, in
  /// their order, at this revision.
  case refused(current: [EtcdValue?], revision: Int64)
}

/// A change that a watch reports.
package enum EtcdEvent: Hashable, Sendable {
  case put(EtcdValue)
  case deleted(key: String, revision: Int64)

  package var key: String {
    switch self {
    case .put(let value): value.key
    case .deleted(let key, _): key
    }
  }

  package var revision: Int64 {
    switch self {
    case .put(let value): value.modRevision
    case .deleted(_, let revision): revision
    }
  }
}

/// A member of the etcd cluster.
package struct EtcdMember: Hashable, Sendable {
  package let id: UInt64
  /// Empty until the member has started.
  package let name: String
  package let peerURLs: [String]
  package let clientURLs: [String]
  package let isLearner: Bool

  init(_ member: Etcd.Member) {
    id = member.id
    name = member.name
    peerURLs = member.peerURLs
    clientURLs = member.clientURLs
    isLearner = member.isLearner
  }
}

/// What one member tells of itself.
package struct EtcdStatus: Hashable, Sendable {
  package let version: String
  package let memberID: UInt64
  /// 0 when the member knows no leader.
  package let leaderID: UInt64
  package let databaseByteCount: Int64
  package let revision: Int64
  /// Alarms, in etcd's words: no space, corruption.
  package let errors: [String]
}

extension EtcdValue {
  init(_ message: Etcd.KeyValue) {
    self.init(
      key: String(decoding: message.key, as: UTF8.self), bytes: message.value,
      createRevision: message.createRevision, modRevision: message.modRevision,
      lease: message.lease == 0 ? nil : EtcdLeaseID(message.lease))
  }
}
