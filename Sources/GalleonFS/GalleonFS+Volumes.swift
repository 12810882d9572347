import DaemonConfiguration
import Logging
import NodeRuntime
import StorageModel
import Synchronization

/// Making, finding and removing volumes.
extension GalleonFS {
  /// Makes a volume: durable on return.
  ///
  /// - Parameters:
  ///   - sizeBytes: at least 1 MiB; rounded up to whole blocks.
  ///   - storageClass: a built-in class or one of a class file; nil for `encrypted-storage`.
  ///   - name: 1 to 128 of letters, digits, `.`, `_`, `-`; nil for one made of the identifier.
  ///   - content: nil for what the class says, else a block volume.
  /// - Throws: `.alreadyExists` if a volume has the name; `.notFound` for an unknown class;
  ///   `.unsupported` if the class demands what one node cannot give.
  public func createVolume(
    type: VolumeType = .persistent, sizeBytes: UInt64, storageClass: String? = nil,
    name: String? = nil, content: VolumeContent? = .block
  ) async throws(GalleonFSError) -> Volume {
    var generator = SystemRandomNumberGenerator()
    let id = VolumeID(UUIDValue(randomFrom: &generator))
    let pool = try await call { (node) throws(NodeError) in try await node.poolStatus() }
    let plan = try classes.plan(
      VolumeRequest(
        name: name, sizeBytes: sizeBytes, type: type.model, content: content?.model),
      className: storageClass, id: id, poolByteCount: pool.totalBytes)
    for remark in plan.remarks {
      logger.info(
        "a volume is made", metadata: ["volume": "\(id)", "remark": "\(remark)"])
    }
    return try await create(plan.specification)
  }

  private func create(
    _ specification: VolumeSpecification
  ) async throws(GalleonFSError) -> Volume {
    let taken = GalleonFSError.alreadyExists(
      "a volume named \(specification.name) exists; choose another name or delete it")
    guard names.withLock({ $0.insert(specification.name).inserted }) else { throw taken }
    defer { _ = names.withLock { $0.remove(specification.name) } }
    guard try await find(named: specification.name) == nil else { throw taken }
    return Volume(
      try await call { (node) throws(NodeError) in
        try await node.createReplica(specification)
        return try await node.status(of: specification.id)
      })
  }

  /// All volumes, by name.
  public func listVolumes() async throws(GalleonFSError) -> [Volume] {
    try await call { (node) throws(NodeError) in await node.volumes().map { Volume($0) } }
  }

  /// The volume of this name; `.notFound` if there is none.
  public func volume(named name: String) async throws(GalleonFSError) -> Volume {
    guard let volume = try await find(named: name) else {
      throw .notFound("no volume is named \(name)")
    }
    return volume
  }

  private func find(named name: String) async throws(GalleonFSError) -> Volume? {
    try await listVolumes().first { $0.name == name }
  }

  /// The volume with this identifier, as it is now.
  public func volume(_ id: Volume.ID) async throws(GalleonFSError) -> Volume {
    Volume(try await status(id))
  }

  /// Deletes a volume with its data and gives its space back. `.inUse` while it is mounted.
  public func deleteVolume(_ id: Volume.ID) async throws(GalleonFSError) {
    let volume = try Self.parse(id)
    try await call { (node) throws(NodeError) in
      _ = try await node.status(of: volume)
      try await node.deleteReplica(volume)
    }
    samples.forget(volume.description)
  }

  /// Grows a volume while it is used, also one that is mounted. It cannot shrink.
  ///
  /// - Parameter sizeBytes: rounded up to whole blocks.
  @discardableResult
  public func expandVolume(
    _ id: Volume.ID, toBytes sizeBytes: UInt64
  ) async throws(GalleonFSError) -> Volume {
    let volume = try Self.parse(id)
    return Volume(
      try await call { (node) throws(NodeError) in
        guard sizeBytes <= VolumeRequest.maximumSizeBytes else {
          throw .invalid(
            "size \(sizeBytes) is too large; a volume has at most "
              + "\(VolumeRequest.maximumSizeBytes) bytes")
        }
        let blockSize = try await node.status(of: volume).specification.blockSize
        try await node.expandReplica(
          volume,
          toBytes: blockSize.blockCount(holding: sizeBytes) << UInt64(blockSize.shift))
        return try await node.status(of: volume)
      })
  }

  /// What a volume occupies.
  public func usage(of id: Volume.ID) async throws(GalleonFSError) -> VolumeUsage {
    VolumeUsage(try await status(id))
  }

  /// What a volume did, and how fast it was since the call before.
  public func metrics(of id: Volume.ID) async throws(GalleonFSError) -> VolumeMetrics {
    let volume = try Self.parse(id)
    let sample = try await call { (node) throws(NodeError) in
      MetricSample(try node.volume(volume).counters, at: ContinuousClock.now)
    }
    return sample.metrics(since: samples.replace(volume.description, by: sample))
  }

  private func status(_ id: Volume.ID) async throws(GalleonFSError) -> VolumeStatus {
    let volume = try Self.parse(id)
    return try await call { (node) throws(NodeError) in try await node.status(of: volume) }
  }

  static func parse(_ id: Volume.ID) throws(GalleonFSError) -> VolumeID {
    guard let volume = VolumeID(id) else {
      throw .invalid("\"\(id.prefix(200))\" is no volume identifier; use `id` of a Volume")
    }
    return volume
  }
}
