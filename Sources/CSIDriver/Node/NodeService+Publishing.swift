package import Messages
import StorageModel

extension NodeService {
  /// Shows a staged volume at a container's path.
  package func publishVolume(
    _ request: CSI.NodePublishVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.NodePublishVolumeResponse {
    try Fields.required(request.volumeID, "volume_id")
    let target = try Fields.path(request.targetPath, "target_path")
    guard let capability = request.volumeCapability else {
      throw .invalid("volume_capability is required")
    }
    let use = try VolumeUse(capability)
    if request.stagingTargetPath.isEmpty {
      throw .precondition(
        "staging_target_path is required: this plugin offers STAGE_UNSTAGE_VOLUME")
    }
    let staging = try Fields.path(request.stagingTargetPath, "staging_target_path")
    let id = try Fields.knownVolumeID(request.volumeID)
    let fileSystem = try Self.fileSystem(request.volumeContext)
    let isReadOnly = request.readonly || use.isReadOnly
    let host = host
    return try await runner.change("NodePublishVolume", "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      let volume = try await host.volume(id)
      let order = try volume.order(use, fileSystem, isReadOnly: isReadOnly)
      let mounts = try await host.mounts()
      let (stagingPlace, place) = (await host.resolved(staging), await host.resolved(target))
      let stage = mounts.first { $0.path == stagingPlace && $0.volume == id }
      guard let stage, stage.kind == order.kind.rawValue else {
        throw .precondition(
          "volume \(id) is not staged as \(order.kind.rawValue) at \(staging); call "
            + "NodeStageVolume first")
      }
      if stage.isReadOnly, !isReadOnly {
        throw .precondition("volume \(id) is staged read-only at \(staging)")
      }
      if let present = mounts.first(where: { $0.path == place }) {
        try present.check(is: id, order)
      } else {
        try Self.checkSingle(id, order, stagingPlace, mounts)
      }
      try await host.publish(id, from: staging, at: target, order)
      return .init()
    }
  }

  /// Undoes NodePublishVolume and removes the target; nothing there is no error.
  package func unpublishVolume(
    _ request: CSI.NodeUnpublishVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.NodeUnpublishVolumeResponse {
    try Fields.required(request.volumeID, "volume_id")
    let target = try Fields.path(request.targetPath, "target_path")
    // Nothing of a volume that cannot exist is published.
    guard let id = VolumeID(request.volumeID) else { return .init() }
    let host = host
    return try await runner.change("NodeUnpublishVolume", "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      let place = await host.resolved(target)
      let present = try await host.mounts().first { $0.path == place }
      if let present, present.volume != id { throw present.occupied(notBy: id) }
      try await host.unpublish(at: target)
      return .init()
    }
  }

  /// SINGLE_NODE_SINGLE_WRITER allows one target at a time.
  private static func checkSingle(
    _ id: VolumeID, _ order: MountOrder, _ staging: String, _ mounts: [HostedMount]
  ) throws(CallError) {
    guard order.mode == .singleNodeSingleWriter else { return }
    if let other = mounts.first(where: { $0.volume == id && $0.path != staging }) {
      throw .precondition(
        "volume \(id) is published at \(other.path) already, and its mode "
          + "\(order.mode.rawValue) allows one target at a time")
    }
  }
}
