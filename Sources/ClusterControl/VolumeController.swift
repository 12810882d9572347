package import DaemonConfiguration
internal import Logging
package import StorageModel

/// Volumes from request to disk and back: plans, records, and has the nodes make them.
///
/// The order of a creation is: entry `creating`, replica, entry `available`; of a deletion: entry
/// `deleting`, replica, no entry. Whatever a crash leaves in between, `reconcile` finishes.
package struct VolumeController: Sendable {
  package let catalog: VolumeCatalog
  package let operations = VolumeOperations()
  private let host: any ReplicaHost
  /// Identifier of the node whose replicas `host` makes.
  private let nodeID: String
  private let configuration: DaemonConfiguration
  private let now: @Sendable () -> Timestamp
  private let logger: Logger

  package init(
    catalog: VolumeCatalog, host: any ReplicaHost, nodeID: String,
    configuration: DaemonConfiguration, now: @escaping @Sendable () -> Timestamp
  ) {
    self.catalog = catalog
    self.host = host
    self.nodeID = nodeID
    self.configuration = configuration
    self.now = now
    logger = Logger(label: "galleonfs.controller")
  }

  /// What a creation gave.
  package struct Creation: Hashable, Sendable {
    package var entry: VolumeEntry
    /// False if a volume of that name existed and fits the request.
    package var isNew: Bool
    /// What the user should know, in sentences.
    package var remarks: [String]
  }

  // MARK: Volumes

  /// Creates a volume of a class.
  ///
  /// A volume of that name that differs in what was asked gives `.alreadyExists`; one that fits
  /// is given back when `acceptsExisting`. Throws `.busy` while another operation on it runs.
  package func create(
    _ request: VolumeRequest, class storageClass: StorageClass, labels: [String: String] = [:],
    acceptsExisting: Bool = false
  ) async throws(Refusal) -> Creation {
    var generator = SystemRandomNumberGenerator()
    let id = VolumeID(UUIDValue(randomFrom: &generator))
    let plan = try request.plan(
      id: id, class: storageClass, facts: try await facts(), configuration: configuration)
    let name = plan.specification.name
    return try await operations.exclusively([name], "create") { () async throws(Refusal) in
      let entry = newEntry(plan, labels: labels)
      guard let existing = try await catalog.insert(entry) else {
        return Creation(
          entry: try await makeReplica(entry), isNew: true, remarks: plan.remarks)
      }
      try checkSame(existing, plan)
      if existing.state == .creating, existing.members.contains(nodeID) {
        // Nobody works on it, or the name were held: an earlier attempt got stuck.
        return Creation(
          entry: try await makeReplica(existing), isNew: true, remarks: plan.remarks)
      }
      guard acceptsExisting else {
        throw Refusal(.alreadyExists, "volume \(name) exists already (\(existing.id))")
      }
      return Creation(entry: existing, isNew: false, remarks: plan.remarks)
    }
  }

  /// Deletes a volume by name or identifier; gives what it was. `.notFound` if there is none.
  package func delete(_ nameOrID: String) async throws(Refusal) -> VolumeEntry {
    let entry = try await find(nameOrID)
    try requireHere(entry)
    return try await operations.exclusively([entry.name], "delete") {
      () async throws(Refusal) in
      // Asked before anything is written: what is in use must never be found half deleted.
      let paths = try await host.pathsInUse(of: entry.id)
      if !paths.isEmpty {
        throw .precondition(
          "volume \(entry.name) is in use at \(paths.joined(separator: ", ")); unmount it first")
      }
      _ = try await catalog.update(entry.id) { $0.state = .deleting }
      do throws(Refusal) {
        try await host.deleteReplica(entry.id)
      } catch {
        // Mounted in the meantime: it stays. Any other failure is finished by `reconcile`.
        if error.kind == .precondition {
          _ = try await catalog.update(entry.id) { $0.state = .available }
        }
        throw error
      }
      try await catalog.remove(entry.id)
      logger.info("volume deleted", metadata: ["volume": "\(entry.id)", "name": "\(entry.name)"])
      return entry
    }
  }

  /// Grows a volume, never shrinks it; a size that it has already is fine.
  package func expand(_ nameOrID: String, toBytes sizeBytes: UInt64) async throws(Refusal)
    -> VolumeEntry
  {
    let entry = try await find(nameOrID)
    try requireHere(entry)
    try VolumeRequest.checkSize(sizeBytes, facts: try await facts())
    let blockSize = entry.specification.blockSize
    let capacity = blockSize.blockCount(holding: sizeBytes) << UInt64(blockSize.shift)
    if capacity < entry.specification.capacityBytes {
      throw Refusal(
        .outOfRange,
        "volume \(entry.name) has \(entry.specification.capacityBytes) bytes and cannot shrink "
          + "to \(capacity)")
    }
    return try await operations.exclusively([entry.name], "expand") {
      () async throws(Refusal) in
      try await host.expandReplica(entry.id, toBytes: capacity)
      return try await catalog.update(entry.id) {
        $0.specification.capacityBytes = max($0.specification.capacityBytes, capacity)
      }
    }
  }

  /// By name or identifier; `.notFound` with advice if there is none.
  package func find(_ nameOrID: String) async throws(Refusal) -> VolumeEntry {
    guard let found = try await catalog.find(nameOrID) else {
      let shown = nameOrID.prefix(200)
      throw .notFound("no volume is named \"\(shown)\" or has it as its ID; see volume list")
    }
    return found.entry
  }

  package func volumes() async throws(Refusal) -> [VolumeEntry] {
    try await catalog.volumes().map(\.entry)
  }

  /// What there is to give, as of now: this node, since replicas are made nowhere else yet,
  /// whoever else may have registered with the same etcd.
  package func facts() async throws(Refusal) -> ClusterFacts {
    ClusterFacts(
      nodeCount: 1, zones: Set([configuration.zone].compactMap { $0 }),
      diskType: configuration.diskType, poolCapacityBytes: try await host.poolCapacityBytes())
  }

  /// A volume that lies elsewhere must not be touched from here: its data would stay behind.
  private func requireHere(_ entry: VolumeEntry) throws(Refusal) {
    guard entry.members.contains(nodeID) else {
      throw .precondition(
        "volume \(entry.name) lies on node \(entry.members.joined(separator: ", ")), not on this "
          + "one; ask the daemon there")
    }
  }

  // MARK: Classes

  /// Built-in classes and the users' own, by name.
  package func storageClasses() async throws(Refusal) -> [StorageClass] {
    let own = try await catalog.storageClasses()
    return (BuiltInStorageClasses.all + own).sorted { $0.name < $1.name }
  }

  /// `.notFound` with the list of what there is.
  package func storageClass(_ name: String) async throws(Refusal) -> StorageClass {
    if let builtIn = BuiltInStorageClasses.all.first(where: { $0.name == name }) { return builtIn }
    if let own = try await catalog.storageClass(name) { return own }
    let known = try await storageClasses().map(\.name)
    throw .notFound(
      "no storage class \"\(name.prefix(200))\"; "
        + NearestWord.advice(for: String(name.prefix(200)), among: known))
  }

  package func createStorageClass(_ storageClass: StorageClass) async throws(Refusal) {
    try StorageClassFile.check(storageClass)
    let isBuiltIn = BuiltInStorageClasses.all.contains { $0.name == storageClass.name }
    let isNew = isBuiltIn ? false : try await catalog.insert(storageClass)
    guard isNew else {
      throw Refusal(.alreadyExists, "storage class \(storageClass.name) exists already")
    }
  }

  package func deleteStorageClass(_ name: String) async throws(Refusal) {
    if BuiltInStorageClasses.all.contains(where: { $0.name == name }) {
      throw .precondition("storage class \(name) is built in and cannot be deleted")
    }
    _ = try await storageClass(name)
    try await catalog.removeStorageClass(name)
  }

  // MARK: After a start

  /// Finishes what a crash interrupted and writes entries for replicas that have none, so that
  /// the configuration can be lost and comes back from the disks.
  package func reconcile() async throws(Refusal) {
    let replicas = try await host.replicas()
    for replica in replicas {
      if try await catalog.get(replica.specification.id) == nil {
        try await adopt(replica)
      }
    }
    let held = Set(replicas.map(\.specification.id))
    for entry in try await volumes() where entry.members.contains(nodeID) {
      switch entry.state {
      case .creating: _ = try await makeReplica(entry)
      case .deleting:
        try await host.deleteReplica(entry.id)
        try await catalog.remove(entry.id)
      case .available:
        if !held.contains(entry.id) {
          logger.error(
            "replica is missing from the pool", metadata: ["volume": "\(entry.id)"])
        }
      }
    }
  }

  private func adopt(_ replica: ReplicaDescription) async throws(Refusal) {
    let specification = replica.specification
    let ownClass = try? await storageClass(specification.storageClassName)  // may be gone by now
    let entry = VolumeEntry(
      specification: specification, state: .available, epoch: replica.epoch, primary: nodeID,
      members: [nodeID], reclaimPolicy: ownClass?.reclaimPolicy ?? .retain,
      bindingMode: ownClass?.bindingMode ?? .immediate,
      mountOptions: ownClass?.mountOptions ?? [],
      fileSystem: ownClass?.parameters["fsType"] ?? FileSystemType.galleonfs.rawValue, labels: [:],
      createdAt: replica.createdAt)
    if let holder = try await catalog.insert(entry), holder.id != specification.id {
      logger.error(
        "replica's name is taken by another volume; it is not served by name",
        metadata: ["volume": "\(specification.id)", "holder": "\(holder.id)"])
      return
    }
    logger.notice(
      "entry rebuilt from the pool",
      metadata: ["volume": "\(specification.id)", "name": "\(specification.name)"])
  }

  // MARK: Steps

  private func newEntry(_ plan: VolumePlan, labels: [String: String]) -> VolumeEntry {
    VolumeEntry(
      specification: plan.specification, state: .creating, epoch: .first, primary: nodeID,
      members: [nodeID], reclaimPolicy: plan.reclaimPolicy, bindingMode: plan.bindingMode,
      mountOptions: plan.mountOptions, fileSystem: plan.fileSystem.rawValue, labels: labels,
      createdAt: now())
  }

  private func makeReplica(_ entry: VolumeEntry) async throws(Refusal) -> VolumeEntry {
    do throws(Refusal) {
      try await host.createReplica(entry.specification)
    } catch {
      // Nothing was promised yet: take the entry back so that the name is free again.
      try? await catalog.remove(entry.id)  // else `reconcile` tries once more
      throw error
    }
    logger.info("volume created", metadata: ["volume": "\(entry.id)", "name": "\(entry.name)"])
    return try await catalog.update(entry.id) { $0.state = .available }
  }

  /// Whether the volume that has the name is the one that is asked for.
  private func checkSame(_ existing: VolumeEntry, _ plan: VolumePlan) throws(Refusal) {
    if existing.state == .deleting {
      throw Refusal(.busy, "volume \(existing.name) is being deleted; try again")
    }
    let old = existing.specification
    let new = plan.specification
    var differences: [String] = []
    if old.capacityBytes != new.capacityBytes {
      differences.append("size \(old.capacityBytes) instead of \(new.capacityBytes) bytes")
    }
    if old.content != new.content { differences.append("content \(old.content.rawValue)") }
    if old.encryption != new.encryption {
      differences.append("encryption \(old.encryption.rawValue)")
    }
    if old.replicaCount != new.replicaCount { differences.append("\(old.replicaCount) replicas") }
    if old.blockSize != new.blockSize {
      differences.append("block size \(old.blockSize.byteCount)")
    }
    if !differences.isEmpty {
      throw Refusal(
        .alreadyExists,
        "volume \(existing.name) exists already with \(differences.joined(separator: ", "))")
    }
  }
}
