package import StorageModel

extension VolumeRequest {
  /// Decides what the volume will be: the request beats the class, that beats the configuration.
  ///
  /// Nothing of a class is weakened in silence: what cannot be honoured is refused, except that a
  /// class with more replicas than nodes gives a degraded volume, unless it forbids that.
  /// Throws `Refusal`: invalid, outOfRange, or precondition.
  package func plan(
    id: VolumeID, class storageClass: StorageClass, facts: ClusterFacts,
    configuration: DaemonConfiguration
  ) throws(Refusal) -> VolumePlan {
    let parameters = try VolumeParameters(parsing: storageClass.parameters)
    let planner = VolumePlanner(
      request: self, storageClass: storageClass, parameters: parameters, facts: facts,
      configuration: configuration)
    return try planner.plan(id: id)
  }

  /// Throws `Refusal` unless a volume of this size can exist in such a pool.
  package static func checkSize(_ sizeBytes: UInt64, facts: ClusterFacts) throws(Refusal) {
    if sizeBytes == 0 { throw .invalid("size is 0; give a positive size such as 1G") }
    if sizeBytes < minimumSizeBytes {
      throw Refusal(
        .outOfRange,
        "size \(sizeBytes) bytes is too small; the smallest volume has "
          + ByteCount.format(minimumSizeBytes))
    }
    let limit = min(facts.poolCapacityBytes, maximumSizeBytes)
    if sizeBytes > limit {
      throw Refusal(
        .outOfRange,
        "size \(ByteCount.format(sizeBytes)) (\(sizeBytes) bytes) is beyond the pool, which has "
          + "\(ByteCount.format(limit)) (\(limit) bytes)")
    }
  }
}

/// The steps from a request to a plan, with all they look at.
private struct VolumePlanner {
  let request: VolumeRequest
  let storageClass: StorageClass
  let parameters: VolumeParameters
  let facts: ClusterFacts
  let configuration: DaemonConfiguration

  func plan(id: VolumeID) throws(Refusal) -> VolumePlan {
    let name = request.name ?? "volume-\(id.description.prefix(8))"
    if let fault = VolumeName.fault(in: name) {
      throw .invalid("volume name \"\(name.prefix(200))\" is not allowed: \(fault)")
    }
    try VolumeRequest.checkSize(request.sizeBytes, facts: facts)
    try checkPlace()
    try checkDurability()
    var remarks: [String] = []
    let encryption = try encryption(&remarks)
    let replicaCount = try replicaCount()
    let isDegraded = try isDegraded(replicaCount, &remarks)
    noteDiskType(&remarks)
    let fileSystem = parameters.fileSystem ?? .galleonfs
    let content = try content(for: fileSystem, &remarks)
    let strategy = parameters.strategy ?? configuration.replicationStrategy
    let blockSize = parameters.blockSize ?? configuration.blockSize
    let blockCount = blockSize.blockCount(holding: request.sizeBytes)
    let specification = VolumeSpecification(
      id: id, name: name, capacityBytes: blockCount << UInt64(blockSize.shift),
      blockSize: blockSize, type: request.type, content: content, encryption: encryption,
      replicaCount: replicaCount, storageClassName: storageClass.name, strategy: strategy,
      writeConcern: parameters.writeConcern
        ?? (strategy == .synchronous ? .replicated : .acknowledged))
    return VolumePlan(
      specification: specification, reclaimPolicy: storageClass.reclaimPolicy,
      bindingMode: storageClass.bindingMode, mountOptions: storageClass.mountOptions,
      fileSystem: fileSystem, isDegraded: isDegraded, remarks: remarks)
  }

  private func refuse(_ reason: String) -> Refusal {
    .precondition("storage class \(storageClass.name) cannot be honoured: \(reason)")
  }

  private func checkPlace() throws(Refusal) {
    let allowed = storageClass.allowedTopologies
    if !allowed.isEmpty, facts.zones.isDisjoint(with: allowed) {
      let found = facts.zones.isEmpty ? "none" : facts.zones.sorted().joined(separator: ", ")
      throw refuse(
        "it allows only the zones \(allowed.joined(separator: ", ")), but the nodes' zones are: "
          + "\(found); start a node with --zone")
    }
    if let wanted = parameters.diskType, let found = facts.diskType, !satisfies(found, wanted) {
      throw refuse(
        "it wants disks of type \(wanted.rawValue), but the pool lies on \(found.rawValue)")
    }
  }

  private func satisfies(
    _ found: DaemonConfiguration.DiskType, _ wanted: DaemonConfiguration.DiskType
  ) -> Bool {
    found == wanted || (found == .nvme && wanted == .ssd)
  }

  private func checkDurability() throws(Refusal) {
    if let raidLevel = parameters.raidLevel, raidLevel > 0 {
      throw refuse("raidLevel \(raidLevel) needs two pools on a node, and nodes have one pool")
    }
    switch parameters.keyManagement {
    case nil, .internal: break
    case .externalKMS, .hsm:
      throw refuse(
        "keyManagement \(parameters.keyManagement?.rawValue ?? "") is not available; "
          + "this version keeps keys itself (\"internal\")")
    }
    switch parameters.persistenceLevel {
    case nil, .basic, .high: break
    case .enhanced:
      throw refuse("persistenceLevel enhanced needs two pools on a node, and nodes have one pool")
    case .maximum:
      if facts.zones.count < 2 {
        throw refuse("persistenceLevel maximum needs nodes in two zones")
      }
    }
    if parameters.writeConcern == .distributed, facts.zones.count < 2 {
      throw refuse("writeConcern distributed needs nodes in two zones")
    }
  }

  private func encryption(_ remarks: inout [String]) throws(Refusal) -> EncryptionAlgorithm {
    let wanted = parameters.encrypts ?? false
    switch configuration.encryption {
    case .byClass: return wanted ? .aes256GCM : .none
    case .never:
      if wanted {
        throw refuse("it encrypts, but encryption_at_rest = false turns encryption off here")
      }
      return .none
    case .always:
      if !wanted { remarks.append("encrypted, because encryption_at_rest = true demands it") }
      return .aes256GCM
    }
  }

  private func replicaCount() throws(Refusal) -> Int {
    let isDistributed = storageClass.provisioner.hasSuffix("/distributed")
    var count = request.replicaCount ?? parameters.replicaCount ?? (isDistributed ? 3 : 1)
    switch parameters.persistenceLevel {
    case nil, .basic, .enhanced: break
    case .high, .maximum:
      if request.replicaCount == nil { count = max(count, 2) }
      if count < 2 {
        throw refuse("persistenceLevel high needs two replicas or more, not \(count)")
      }
    }
    let allowed = configuration.allowedReplicas
    guard allowed.contains(count) else {
      throw Refusal(
        .outOfRange,
        "\(count) replicas are not allowed; the configuration allows \(allowed.lowerBound) to "
          + "\(allowed.upperBound) (min_replicas, max_replicas)")
    }
    return count
  }

  private func isDegraded(_ replicaCount: Int, _ remarks: inout [String]) throws(Refusal) -> Bool {
    guard replicaCount > facts.nodeCount else { return false }
    let nodes = facts.nodeCount == 1 ? "is 1 node" : "are \(facts.nodeCount) nodes"
    if parameters.allowsDegraded == false {
      throw refuse(
        "it wants \(replicaCount) replicas, there \(nodes), and allowDegraded is false")
    }
    remarks.append(
      "degraded: \(replicaCount) replicas wanted, but there \(nodes); the missing ones are made "
        + "when nodes join")
    return true
  }

  private func noteDiskType(_ remarks: inout [String]) {
    guard let wanted = parameters.diskType, facts.diskType == nil else { return }
    remarks.append(
      "disk type \(wanted.rawValue) was not checked: the node does not say what its pool lies on "
        + "(--disk-type)")
  }

  private func content(for fileSystem: FileSystemType, _ remarks: inout [String])
    throws(Refusal) -> VolumeContent
  {
    switch fileSystem {
    case .galleonfs: return request.content ?? .fileSystem
    case .ext4, .xfs:
      if request.content == nil {
        remarks.append(
          "a block volume, because the class asks for \(fileSystem.rawValue), which is made when a "
            + "container first uses it; other mounts show it as the file data")
      }
      return .block
    }
  }
}
