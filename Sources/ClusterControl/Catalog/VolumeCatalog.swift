package import DaemonConfiguration
package import StorageModel

/// The cluster's configuration: volumes, their names, classes and nodes, in a store.
///
/// | key under `/galleonfs/v1/` | value |
/// |---|---|
/// | `volumes/<id>` | the volume's entry |
/// | `names/<name>` | the identifier of the volume of that name |
/// | `classes/<name>` | a storage class |
/// | `nodes/<id>` | a node |
/// | `cluster` | the cluster's identifier |
///
/// A volume's entry and its name are written by one transaction, so a name is never given twice;
/// every change of an entry names the revision that it was made from.
package struct VolumeCatalog: Sendable {
  package static let root = "/galleonfs/v1/"

  private let store: any ConfigurationStore

  /// A volume's entry with the revision that a change must name.
  package struct Found: Hashable, Sendable {
    package var entry: VolumeEntry
    package var revision: Int64
  }

  package init(_ store: any ConfigurationStore) {
    self.store = store
  }

  // MARK: Volumes

  /// Writes a new entry; if the name or the identifier is taken, gives the entry that has it.
  package func insert(_ entry: VolumeEntry) async throws(Refusal) -> VolumeEntry? {
    let volumeKey = Self.key(entry.id)
    let nameKey = Self.nameKey(entry.name)
    let isNew = try await store.transact(
      [.absent(key: volumeKey), .absent(key: nameKey)],
      [
        .put(key: volumeKey, bytes: CatalogCoding.encode(entry)),
        .put(key: nameKey, bytes: CatalogCoding.encode(text: entry.id.description)),
      ])
    if isNew { return nil }
    if let holder = try await find(entry.name) { return holder.entry }
    if let holder = try await get(entry.id) { return holder.entry }
    throw Refusal(.busy, "volume \(entry.name) is being deleted; try again")
  }

  package func get(_ id: VolumeID) async throws(Refusal) -> Found? {
    guard let value = try await store.get(Self.key(id)) else { return nil }
    return Found(entry: try CatalogCoding.volume(from: value), revision: value.revision)
  }

  /// By name or identifier.
  package func find(_ nameOrID: String) async throws(Refusal) -> Found? {
    if VolumeName.fault(in: nameOrID) == nil,
      let value = try await store.get(Self.nameKey(nameOrID)),
      let id = VolumeID(try CatalogCoding.text(from: value))
    {
      return try await get(id)
    }
    guard let id = VolumeID(nameOrID) else { return nil }
    return try await get(id)
  }

  /// All volumes, by name.
  package func volumes() async throws(Refusal) -> [Found] {
    var found: [Found] = []
    for value in try await store.list(prefix: Self.root + "volumes/") {
      found.append(Found(entry: try CatalogCoding.volume(from: value), revision: value.revision))
    }
    return found.sorted { $0.entry.name < $1.entry.name }
  }

  /// Replaces an entry that is still as it was found; false if it changed in between.
  package func replace(_ found: Found, with entry: VolumeEntry) async throws(Refusal) -> Bool {
    let key = Self.key(entry.id)
    return try await store.transact(
      [.unchanged(key: key, revision: found.revision)],
      [.put(key: key, bytes: CatalogCoding.encode(entry))])
  }

  /// Changes an entry by compare-and-swap until it holds. `.notFound` if it is gone.
  package func update(
    _ id: VolumeID, _ change: @Sendable (inout VolumeEntry) throws(Refusal) -> Void
  ) async throws(Refusal) -> VolumeEntry {
    for _ in 0..<Self.mostAttempts {
      guard let found = try await get(id) else { throw .notFound("no volume \(id)") }
      var entry = found.entry
      try change(&entry)
      if entry == found.entry { return entry }
      if try await replace(found, with: entry) { return entry }
    }
    throw Refusal(.busy, "volume \(id) is being changed by others; try again")
  }

  /// A new configuration: the epoch rises by one, and only if it was `expected`.
  package func reconfigure(
    _ id: VolumeID, expected: Epoch, primary: String?, members: [String], learners: [String]
  ) async throws(Refusal) -> VolumeEntry {
    try await update(id) { entry throws(Refusal) in
      guard entry.epoch == expected else {
        throw Refusal(
          .precondition,
          "volume \(id) has epoch \(entry.epoch), expected \(expected): it was reconfigured")
      }
      entry.epoch = entry.epoch.next
      entry.primary = primary
      entry.members = members
      entry.learners = learners
    }
  }

  /// Removes an entry and its name; one that is gone is no error.
  package func remove(_ id: VolumeID) async throws(Refusal) {
    for _ in 0..<Self.mostAttempts {
      guard let found = try await get(id) else { return }
      let key = Self.key(id)
      let isDone = try await store.transact(
        [.unchanged(key: key, revision: found.revision)],
        [.delete(key: key), .delete(key: Self.nameKey(found.entry.name))])
      if isDone { return }
    }
    throw Refusal(.busy, "volume \(id) is being changed by others; try again")
  }

  /// Writers of one entry are few; more collisions than this mean a fault.
  private static let mostAttempts = 16

  // MARK: Classes

  package func storageClasses() async throws(Refusal) -> [StorageClass] {
    var classes: [StorageClass] = []
    for value in try await store.list(prefix: Self.root + "classes/") {
      classes.append(try CatalogCoding.storageClass(from: value))
    }
    return classes
  }

  package func storageClass(_ name: String) async throws(Refusal) -> StorageClass? {
    guard VolumeName.fault(in: name) == nil,
      let value = try await store.get(Self.classKey(name))
    else { return nil }
    return try CatalogCoding.storageClass(from: value)
  }

  /// False if a class of that name exists.
  package func insert(_ storageClass: StorageClass) async throws(Refusal) -> Bool {
    let key = Self.classKey(storageClass.name)
    return try await store.transact(
      [.absent(key: key)], [.put(key: key, bytes: CatalogCoding.encode(storageClass))])
  }

  package func removeStorageClass(_ name: String) async throws(Refusal) {
    _ = try await store.transact([], [.delete(key: Self.classKey(name))])
  }

  // MARK: Cluster and nodes

  /// The cluster's identifier; the first to ask proposes it.
  package func clusterID(proposing proposal: UUIDValue) async throws(Refusal) -> UUIDValue {
    let key = Self.root + "cluster"
    _ = try await store.transact(
      [.absent(key: key)],
      [.put(key: key, bytes: CatalogCoding.encode(text: proposal.description))])
    guard let value = try await store.get(key),
      let id = UUIDValue(try CatalogCoding.text(from: value))
    else { throw Refusal(.internal, "the cluster's configuration has no identifier at \(key)") }
    return id
  }

  package func register(_ node: NodeEntry) async throws(Refusal) {
    _ = try await store.transact(
      [], [.put(key: Self.root + "nodes/" + node.id, bytes: CatalogCoding.encode(node))])
  }

  /// All nodes, by name.
  package func nodes() async throws(Refusal) -> [NodeEntry] {
    var nodes: [NodeEntry] = []
    for value in try await store.list(prefix: Self.root + "nodes/") {
      nodes.append(try CatalogCoding.node(from: value))
    }
    return nodes.sorted { $0.name < $1.name }
  }

  package func storeStatus() async throws(Refusal) -> StoreStatus { try await store.status() }

  private static func key(_ id: VolumeID) -> String { "\(root)volumes/\(id)" }
  private static func nameKey(_ name: String) -> String { "\(root)names/\(name)" }
  private static func classKey(_ name: String) -> String { "\(root)classes/\(name)" }
}
