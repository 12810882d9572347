import ClusterControl
import DaemonConfiguration
package import Messages
import StorageModel

/// CSI's Controller service: volumes as a whole.
///
/// Every call is idempotent; those that change a volume hold its lease. A `timeout` is what is
/// left of the caller's deadline, nil if it gave none.
package struct ControllerService: Sendable {
  let control: any VolumeControl
  let runner: CallRunner

  package init(control: any VolumeControl, runner: CallRunner) {
    self.control = control
    self.runner = runner
  }

  package func getCapabilities(
    _ request: CSI.ControllerGetCapabilitiesRequest
  ) -> CSI.ControllerGetCapabilitiesResponse {
    let types: [CSI.ControllerServiceCapability.RPC.Kind] = [
      .createDeleteVolume, .publishUnpublishVolume, .publishReadonly, .listVolumes,
      .listVolumesPublishedNodes, .getVolume, .getCapacity, .expandVolume, .singleNodeMultiWriter,
      .volumeCondition,
    ]
    return .init(capabilities: types.map { .init(type: .rpc(.init(type: $0))) })
  }

  /// Makes a volume, or finds the one that an earlier call with this name made.
  package func createVolume(
    _ request: CSI.CreateVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.CreateVolumeResponse {
    let wish = try VolumeWish(request)
    let control = control
    return try await runner.change("CreateVolume", "volume name \(wish.name)", timeout: timeout) {
      () async throws(CallError) in
      let existing = try await control.volume(named: wish.name)
      if let existing { try wish.check(existing) }
      let order = try wish.order(on: try await control.nodes(), like: existing)
      return .init(volume: try await control.create(order).message)
    }
  }

  /// Deletes a volume that no node may use any more.
  package func deleteVolume(
    _ request: CSI.DeleteVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.DeleteVolumeResponse {
    guard let id = try Fields.volumeID(request.volumeID) else { return .init() }
    let control = control
    return try await runner.change("DeleteVolume", "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      guard let volume = try await control.volume(id) else { return .init() }
      let nodes = volume.publications.map(\.node)
      if !nodes.isEmpty {
        throw .precondition(
          "volume \(id) is published to \(nodes.joined(separator: ", ")); unpublish it first")
      }
      try await control.delete(id)
      return .init()
    }
  }

  package func validateVolumeCapabilities(
    _ request: CSI.ValidateVolumeCapabilitiesRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.ValidateVolumeCapabilitiesResponse {
    try Fields.required(request.volumeID, "volume_id")
    if request.volumeCapabilities.isEmpty {
      throw .invalid("volume_capabilities is required")
    }
    let id = try Fields.knownVolumeID(request.volumeID)
    let volume = try await look("ValidateVolumeCapabilities", id, timeout)
    do throws(CallError) {
      try Self.validate(request, against: volume)
    } catch {
      return .init(message: error.message)
    }
    return .init(
      confirmed: .init(
        volumeContext: request.volumeContext, volumeCapabilities: request.volumeCapabilities,
        parameters: request.parameters))
  }

  /// Grows a volume, also while it is in use.
  package func expandVolume(
    _ request: CSI.ControllerExpandVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.ControllerExpandVolumeResponse {
    try Fields.required(request.volumeID, "volume_id")
    guard let range = request.capacityRange else { throw .invalid("capacity_range is required") }
    let wanted = try WantedCapacity(range)
    let use: VolumeUse? =
      if let capability = request.volumeCapability { try VolumeUse(capability) } else { nil }
    let id = try Fields.knownVolumeID(request.volumeID)
    let control = control
    return try await runner.change("ControllerExpandVolume", "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      let volume = try await control.existing(id)
      if let use { try volume.check(use) }
      let current = volume.specification.capacityBytes
      if let limit = wanted.limitBytes, current > limit {
        throw .outOfRange(
          "volume \(id) has \(current) bytes, above limit_bytes \(limit); volumes do not shrink")
      }
      var grown = volume
      if current < wanted.requiredBytes {
        let bytes = try wanted.wholeBlocks(
          wanted.requiredBytes, volume.specification.blockSize)
        grown = try await control.expand(id, toBytes: bytes)
      }
      return .init(
        capacityBytes: Int64(clamping: grown.specification.capacityBytes),
        nodeExpansionRequired: volume.specification.content == .block)
    }
  }

  /// Nothing about a volume can be modified, so this is not advertised.
  package func modifyVolume(
    _ request: CSI.ControllerModifyVolumeRequest
  ) throws(CallError) -> CSI.ControllerModifyVolumeResponse {
    throw .unimplemented("ControllerModifyVolume: the capability MODIFY_VOLUME is not offered")
  }

  func look(
    _ operation: String, _ id: VolumeID, _ timeout: Duration?
  ) async throws(CallError) -> ControlledVolume {
    let control = control
    return try await runner.look(operation, "volume \(id)", timeout: timeout) {
      () async throws(CallError) in try await control.existing(id)
    }
  }

  private static func validate(
    _ request: CSI.ValidateVolumeCapabilitiesRequest, against volume: ControlledVolume
  ) throws(CallError) {
    for use in try Fields.capabilities(request.volumeCapabilities) { try volume.check(use) }
    let parameters = try Fields.parameters(request.parameters)
    if let reason = volume.shortcoming(against: parameters) { throw .invalid(reason) }
    try Fields.mutableParameters(request.mutableParameters)
    for (name, value) in request.volumeContext where volume.context[name] != value {
      throw .invalid("volume_context \"\(Fields.shown(name))\" is not that of the volume")
    }
  }
}

extension VolumeControl {
  func existing(_ id: VolumeID) async throws(CallError) -> ControlledVolume {
    guard let volume = try await volume(id) else { throw .notFound("no volume \(id)") }
    return volume
  }
}
