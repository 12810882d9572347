package import Messages

/// CSI's Identity service: who the plugin is, and whether it works.
package struct IdentityService: Sendable {
  package static let driverName = "csi.galleonfs.io"

  private let version: String
  private let control: (any VolumeControl)?
  private let host: (any NodeHost)?

  /// - Parameters:
  ///   - version: Of the program.
  ///   - control: nil in a process that does not serve Controller.
  ///   - host: nil in a process that does not serve Node.
  package init(version: String, control: (any VolumeControl)?, host: (any NodeHost)?) {
    self.version = version
    self.control = control
    self.host = host
  }

  package func getPluginInfo(_ request: CSI.GetPluginInfoRequest) -> CSI.GetPluginInfoResponse {
    CSI.GetPluginInfoResponse(
      name: Self.driverName, vendorVersion: version)
  }

  /// What the plugin can do as a whole, whichever part of it this process serves.
  package func getPluginCapabilities(
    _ request: CSI.GetPluginCapabilitiesRequest
  ) -> CSI.GetPluginCapabilitiesResponse {
    CSI.GetPluginCapabilitiesResponse(capabilities: [
      .init(type: .service(.init(type: .controllerService))),
      .init(type: .service(.init(type: .volumeAccessibilityConstraints))),
      .init(type: .volumeExpansion(.init(type: .online))),
    ])
  }

  /// Ready once every part that this process serves is; FAILED_PRECONDITION if one cannot work.
  package func probe(
    _ request: CSI.ProbeRequest
  ) async throws(CallError) -> CSI.ProbeResponse {
    do {
      let controlIsReady = try await control?.isReady() ?? true
      let hostIsReady = try await host?.isReady() ?? true
      return CSI.ProbeResponse(ready: .init(value: controlIsReady && hostIsReady))
    } catch {
      throw .precondition("the plugin cannot work: \(error.message)")
    }
  }
}
