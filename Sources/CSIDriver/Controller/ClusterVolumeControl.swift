package import ClusterControl
import DaemonConfiguration
package import NodeRuntime
package import StorageModel

/// The cluster's `VolumeController`, as the Controller service sees it.
package struct ClusterVolumeControl: VolumeControl {
  /// Stands for the StorageClass, whose name CSI does not tell.
  static let className = "csi"

  private let controller: VolumeController
  private let node: any NodeServices
  private let nodeName: String

  /// - Parameters:
  ///   - node: The node on which the controller makes replicas.
  ///   - nodeName: Its name, as it is registered in the catalogue.
  package init(controller: VolumeController, node: any NodeServices, nodeName: String) {
    self.controller = controller
    self.node = node
    self.nodeName = nodeName
  }

  package func isReady() async throws(CallError) -> Bool {
    _ = try await asking { () async throws(Refusal) in
      try await controller.catalog.storeStatus()
    }
    return true
  }

  package func nodes() async throws(CallError) -> [NodePlace] {
    try await asking { () async throws(Refusal) in
      try await controller.catalog.nodes().map { NodePlace(name: $0.name, zone: $0.zone) }
    }
  }

  package func create(_ order: VolumeOrder) async throws(CallError) -> ControlledVolume {
    guard order.nodes.contains(where: { $0.name == nodeName }) else {
      throw .exhausted(
        "volumes can be made on node \(nodeName) only, which accessibility_requirements exclude")
    }
    let request = VolumeRequest(
      name: order.name, sizeBytes: order.capacityBytes, type: order.type, content: order.content)
    let storageClass = Self.storageClass(order.parameters, order.fileSystem)
    let creation = try await asking { () async throws(Refusal) in
      try await controller.create(
        request, class: storageClass, labels: Self.labels(order.parameters), acceptsExisting: true)
    }
    return try await controlled(creation.entry)
  }

  package func delete(_ id: VolumeID) async throws(CallError) {
    guard let entry = try await entry(id) else { return }
    do {
      // By name: a name may look like another volume's identifier.
      _ = try await controller.delete(entry.name)
    } catch {
      if error.kind == .notFound { return }
      throw .refused(error)
    }
  }

  package func expand(_ id: VolumeID, toBytes: UInt64) async throws(CallError) -> ControlledVolume {
    guard let entry = try await entry(id) else { throw .notFound("no volume \(id)") }
    let grown = try await asking { () async throws(Refusal) in
      try await controller.expand(entry.name, toBytes: toBytes)
    }
    return try await controlled(grown)
  }

  package func volume(_ id: VolumeID) async throws(CallError) -> ControlledVolume? {
    guard let entry = try await entry(id) else { return nil }
    return try await controlled(entry)
  }

  package func volume(named name: String) async throws(CallError) -> ControlledVolume? {
    let found = try await asking { () async throws(Refusal) in
      try await controller.catalog.find(name)
    }
    guard let entry = found?.entry, entry.name == name else { return nil }
    return try await controlled(entry)
  }

  package func volumes() async throws(CallError) -> [ControlledVolume] {
    let entries = try await asking { () async throws(Refusal) in try await controller.volumes() }
    let places = try await placesByID()
    var volumes: [ControlledVolume] = []
    for entry in entries where entry.state != .deleting {
      volumes.append(await controlled(entry, places))
    }
    return volumes
  }

  package func setPublications(
    _ id: VolumeID, _ publications: [Publication]
  ) async throws(CallError) {
    _ = try await asking { () async throws(Refusal) in
      try await controller.catalog.update(id) { entry throws(Refusal) in
        if entry.state == .deleting {
          throw Refusal(.busy, "volume \(id) is being deleted; try again")
        }
        entry.publications = publications
      }
    }
  }

  package func capacity(
    _ parameters: [String: String], _ nodes: [NodePlace]
  ) async throws(CallError) -> CapacityReport {
    let none = CapacityReport(availableBytes: 0, largestVolumeBytes: 0)
    guard nodes.contains(where: { $0.name == nodeName }) else { return none }
    let pool: PoolStatus
    do { pool = try await node.poolStatus() } catch { throw .node(error) }
    if pool.readOnlyReason != nil { return none }
    // Space is given when it is written, so a volume may be larger than what is free now.
    return CapacityReport(availableBytes: pool.availableBytes, largestVolumeBytes: pool.totalBytes)
  }
}

extension ClusterVolumeControl {
  private func entry(_ id: VolumeID) async throws(CallError) -> VolumeEntry? {
    let found = try await asking { () async throws(Refusal) in
      try await controller.catalog.get(id)
    }
    return found?.entry
  }

  private func controlled(_ entry: VolumeEntry) async throws(CallError) -> ControlledVolume {
    await controlled(entry, try await placesByID())
  }

  private func controlled(
    _ entry: VolumeEntry, _ places: [String: NodePlace]
  ) async -> ControlledVolume {
    var troubles: [String] = []
    switch entry.state {
    case .creating: troubles.append("being created")
    case .deleting: troubles.append("being deleted")
    case .available: break
    }
    if entry.isDegraded {
      troubles.append(
        "degraded: \(entry.members.count) of \(entry.specification.replicaCount) replicas in sync")
    }
    // A replica on another node cannot be asked here; its own node tells.
    if let status = try? await node.status(of: entry.id) { troubles += status.troubles }
    return ControlledVolume(
      specification: entry.specification,
      fileSystem: FileSystemType(rawValue: entry.fileSystem) ?? .galleonfs,
      publications: entry.publications,
      places: entry.members.map { places[$0] ?? NodePlace(name: $0) }, troubles: troubles)
  }

  private func placesByID() async throws(CallError) -> [String: NodePlace] {
    let nodes = try await asking { () async throws(Refusal) in
      try await controller.catalog.nodes()
    }
    return Dictionary(
      nodes.map { ($0.id, NodePlace(name: $0.name, zone: $0.zone)) }, uniquingKeysWith: { $1 })
  }

  private func asking<Answer>(
    _ question: () async throws(Refusal) -> Answer
  ) async throws(CallError) -> Answer {
    do {
      return try await question()
    } catch {
      throw .refused(error)
    }
  }

  private static func storageClass(
    _ parameters: [String: String], _ fileSystem: FileSystemType
  ) -> StorageClass {
    var parameters = parameters
    parameters["fsType"] = fileSystem.rawValue
    return StorageClass(
      name: className, provisioner: IdentityService.driverName, parameters: parameters,
      reclaimPolicy: .delete, bindingMode: .immediate)
  }

  /// What the provisioner tells of the claim (`--extra-create-metadata`), for metrics and lists.
  private static func labels(_ parameters: [String: String]) -> [String: String] {
    let prefix = VolumeParameters.metadataPrefix
    var labels: [String: String] = [:]
    labels["persistentvolumeclaim"] = parameters[prefix + "pvc/name"]
    labels["namespace"] = parameters[prefix + "pvc/namespace"]
    labels["persistentvolume"] = parameters[prefix + "pv/name"]
    return labels
  }
}

extension VolumeStatus {
  /// What is not well with the replica, in sentences.
  var troubles: [String] {
    var troubles: [String] = []
    if let readOnlyReason { troubles.append("refuses writes: \(readOnlyReason)") }
    if !corruptBlocks.isEmpty {
      let shown = corruptBlocks.prefix(5).joined(separator: "; ")
      troubles.append("\(corruptBlocks.count) corrupt blocks: \(shown)")
    }
    return troubles
  }
}
