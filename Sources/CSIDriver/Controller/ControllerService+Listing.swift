import DaemonConfiguration
package import Messages
import StorageModel

extension ControllerService {
  /// Volumes in order of their identifiers. A page token is the last identifier of the page, so
  /// volumes that come and go between two pages are neither repeated nor make others be missed.
  package func listVolumes(
    _ request: CSI.ListVolumesRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.ListVolumesResponse {
    if request.maxEntries < 0 {
      throw .invalid("max_entries \(request.maxEntries) must not be negative")
    }
    var start: VolumeID?
    if !request.startingToken.isEmpty {
      guard let id = VolumeID(request.startingToken) else {
        throw .aborted(
          "starting_token \"\(Fields.shown(request.startingToken))\" is not a token of ours; "
            + "start again without one")
      }
      start = id
    }
    let control = control
    let all = try await runner.look("ListVolumes", timeout: timeout) {
      () async throws(CallError) in try await control.volumes()
    }
    let rest = all.filter { volume in start.map { volume.specification.id > $0 } ?? true }
      .sorted { $0.specification.id < $1.specification.id }
    let page = request.maxEntries > 0 ? Array(rest.prefix(Int(request.maxEntries))) : rest
    let token = page.count < rest.count ? page.last?.specification.id.description : nil
    return .init(
      entries: page.map {
        .init(
          volume: $0.message,
          status: .init(publishedNodeIDs: $0.publishedNodes, volumeCondition: $0.condition))
      },
      nextToken: token ?? "")
  }

  package func getVolume(
    _ request: CSI.ControllerGetVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.ControllerGetVolumeResponse {
    let id = try Fields.knownVolumeID(request.volumeID)
    let volume = try await look("ControllerGetVolume", id, timeout)
    return .init(
      volume: volume.message,
      status: .init(publishedNodeIDs: volume.publishedNodes, volumeCondition: volume.condition))
  }

  package func getCapacity(
    _ request: CSI.GetCapacityRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.GetCapacityResponse {
    if !request.volumeCapabilities.isEmpty {
      _ = try Fields.capabilities(request.volumeCapabilities)
    }
    _ = try Fields.parameters(request.parameters)
    let place = request.accessibleTopology
    if let place { try NodePlace.check(place) }
    let control = control
    let parameters = request.parameters
    let report = try await runner.look("GetCapacity", timeout: timeout) {
      () async throws(CallError) -> CapacityReport in
      let nodes = try await control.nodes().filter { node in place.map(node.lies) ?? true }
      if nodes.isEmpty { return CapacityReport(availableBytes: 0, largestVolumeBytes: 0) }
      return try await control.capacity(parameters, nodes)
    }
    return .init(
      availableCapacity: Int64(clamping: report.availableBytes),
      maximumVolumeSize: .init(value: Int64(clamping: report.largestVolumeBytes)),
      minimumVolumeSize: .init(value: Int64(clamping: VolumeRequest.minimumSizeBytes)))
  }
}
