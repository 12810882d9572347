import DaemonConfiguration
package import Messages
import StorageModel

/// CSI's Node service: volumes on this host.
///
/// What is staged and published is read from the mounts that exist, so calls are idempotent across
/// crashes of the daemon, of the orchestrator and of the node. A `timeout` is what is left of the
/// caller's deadline, nil if it gave none.
package struct NodeService: Sendable {
  let host: any NodeHost
  let runner: CallRunner

  package init(host: any NodeHost, runner: CallRunner) {
    self.host = host
    self.runner = runner
  }

  private static let capabilities: CSI.NodeGetCapabilitiesResponse = {
    let types: [CSI.NodeServiceCapability.RPC.Kind] = [
      .stageUnstageVolume, .getVolumeStats, .expandVolume, .volumeCondition,
      .singleNodeMultiWriter, .volumeMountGroup,
    ]
    return .init(capabilities: types.map { .init(type: .rpc(.init(type: $0))) })
  }()

  /// Half of all calls are this one: no lock, no wait.
  package func getCapabilities(
    _ request: CSI.NodeGetCapabilitiesRequest
  ) -> CSI.NodeGetCapabilitiesResponse { Self.capabilities }

  package func getInfo(_ request: CSI.NodeGetInfoRequest) -> CSI.NodeGetInfoResponse {
    .init(nodeID: host.place.name, accessibleTopology: host.place.topology)
  }

  /// Mounts the volume once for this node; publications show this mount.
  package func stageVolume(
    _ request: CSI.NodeStageVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.NodeStageVolumeResponse {
    try Fields.required(request.volumeID, "volume_id")
    let path = try Fields.path(request.stagingTargetPath, "staging_target_path")
    guard let capability = request.volumeCapability else {
      throw .invalid("volume_capability is required")
    }
    let use = try VolumeUse(capability)
    let id = try Fields.knownVolumeID(request.volumeID)
    let fileSystem = try Self.fileSystem(request.volumeContext)
    let host = host
    return try await runner.change("NodeStageVolume", "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      let volume = try await host.volume(id)
      let order = try volume.order(use, fileSystem, isReadOnly: use.isReadOnly)
      let place = await host.resolved(path)
      if let present = try await host.mounts().first(where: { $0.path == place }) {
        try present.check(is: id, order)
      }
      try await host.stage(id, at: path, order)
      return .init()
    }
  }

  /// Undoes NodeStageVolume; a volume that is not staged there is no error.
  package func unstageVolume(
    _ request: CSI.NodeUnstageVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.NodeUnstageVolumeResponse {
    try Fields.required(request.volumeID, "volume_id")
    let path = try Fields.path(request.stagingTargetPath, "staging_target_path")
    // Nothing of a volume that cannot exist is staged.
    guard let id = VolumeID(request.volumeID) else { return .init() }
    let host = host
    return try await runner.change("NodeUnstageVolume", "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      let place = await host.resolved(path)
      let mounts = try await host.mounts()
      guard let present = mounts.first(where: { $0.path == place }) else { return .init() }
      if present.volume != id { throw present.occupied(notBy: id) }
      try await host.unstage(id, at: path)
      return .init()
    }
  }

  /// Room of the volume and whether it is well.
  package func getVolumeStats(
    _ request: CSI.NodeGetVolumeStatsRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.NodeGetVolumeStatsResponse {
    let (id, path) = try Self.place(request.volumeID, request.volumePath)
    let volume = try await look("NodeGetVolumeStats", id, at: path, timeout)
    return .init(usage: volume.usage, volumeCondition: volume.condition)
  }

  /// Lets what is mounted grow to the volume's new size.
  package func expandVolume(
    _ request: CSI.NodeExpandVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.NodeExpandVolumeResponse {
    let (id, path) = try Self.place(request.volumeID, request.volumePath)
    if let capability = request.volumeCapability { _ = try VolumeUse(capability) }
    let wanted: WantedCapacity? =
      if let range = request.capacityRange { try WantedCapacity(range) } else { nil }
    let host = host
    return try await runner.change("NodeExpandVolume", "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      let volume = try await host.volume(id)
      try await host.check(id, isAt: path)
      let current = volume.specification.capacityBytes
      if let limit = wanted?.limitBytes, current > limit {
        throw .outOfRange(
          "volume \(id) has \(current) bytes, above limit_bytes \(limit); volumes do not shrink")
      }
      let bytes = max(current, wanted?.requiredBytes ?? 0)
      let whole =
        try wanted?.wholeBlocks(bytes, volume.specification.blockSize) ?? current
      return .init(capacityBytes: Int64(clamping: try await host.expand(id, toBytes: whole)))
    }
  }

  private func look(
    _ operation: String, _ id: VolumeID, at path: String, _ timeout: Duration?
  ) async throws(CallError) -> HostedVolume {
    let host = host
    return try await runner.look(operation, "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      let volume = try await host.volume(id)
      try await host.check(id, isAt: path)
      return volume
    }
  }

  /// An identifier and a path of a volume that shall be in use.
  private static func place(
    _ volumeID: String, _ path: String
  ) throws(CallError) -> (VolumeID, String) {
    try Fields.required(volumeID, "volume_id")
    try Fields.required(path, "volume_path")
    let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
    return (try Fields.knownVolumeID(volumeID), trimmed)
  }

  /// The volume's own file system, as its context says.
  static func fileSystem(_ context: [String: String]) throws(CallError) -> FileSystemType? {
    guard let name = context[ControlledVolume.fileSystemKey] else { return nil }
    guard let type = FileSystemType(rawValue: name) else {
      throw .invalid("volume_context fsType \"\(Fields.shown(name))\" is not one of ours")
    }
    return type
  }
}

extension NodeHost {
  /// Throws NOT_FOUND unless the volume is staged or published at the path.
  func check(_ id: VolumeID, isAt path: String) async throws(CallError) {
    let place = await resolved(path)
    let isThere = try await mounts().contains { $0.volume == id && $0.path == place }
    if !isThere {
      throw .notFound("volume \(id) is neither staged nor published at \(Fields.shown(path))")
    }
  }
}

extension HostedMount {
  /// Throws ALREADY_EXISTS unless this is the volume's mount as ordered.
  func check(is id: VolumeID, _ order: MountOrder) throws(CallError) {
    if volume != id {
      throw .alreadyExists("\(path) is occupied by volume \(volume), not by \(id)")
    }
    guard kind == order.kind.rawValue, isReadOnly == order.isReadOnly else {
      throw .alreadyExists(
        "volume \(id) is at \(path) already, as \(words(kind, isReadOnly)), not as "
          + words(order.kind.rawValue, order.isReadOnly))
    }
  }

  func occupied(notBy id: VolumeID) -> CallError {
    .precondition("\(path) is occupied by volume \(volume), not by \(id)")
  }

  private func words(_ kind: String, _ isReadOnly: Bool) -> String {
    "\(kind), \(isReadOnly ? "read-only" : "read-write")"
  }
}

extension HostedVolume {
  /// How to show the volume; throws INVALID_ARGUMENT if it cannot be used like this.
  func order(
    _ use: VolumeUse, _ fileSystem: FileSystemType?, isReadOnly: Bool
  ) throws(CallError) -> MountOrder {
    let standard = fileSystem ?? (specification.content == .block ? .ext4 : .galleonfs)
    try specification.check(use, standard)
    let kind: MountOrder.Kind =
      switch use.access {
      case .block: .block
      case .mount(let wanted): MountOrder.Kind(wanted ?? standard)
      }
    if use.options.demandsEncryption, specification.encryption == .none {
      throw .precondition(
        "mount option encrypted: volume \(specification.id) is not encrypted")
    }
    return MountOrder(
      kind: kind, isReadOnly: isReadOnly, options: use.optionWords, groupID: use.groupID,
      mode: use.mode)
  }

  fileprivate var usage: [CSI.VolumeUsage] {
    let total = specification.capacityBytes
    let used = min(usedBytes, total)
    var usage = [
      CSI.VolumeUsage(
        available: Int64(clamping: total - used), total: Int64(clamping: total),
        used: Int64(clamping: used), unit: .bytes)
    ]
    if let inodes {
      let free = min(inodes.free, inodes.total)
      usage.append(
        CSI.VolumeUsage(
          available: Int64(clamping: free), total: Int64(clamping: inodes.total),
          used: Int64(clamping: inodes.total - free), unit: .inodes))
    }
    return usage
  }

  fileprivate var condition: CSI.VolumeCondition {
    CSI.VolumeCondition(
      abnormal: !troubles.isEmpty,
      message: troubles.isEmpty ? "all is well" : troubles.joined(separator: "; "))
  }
}
