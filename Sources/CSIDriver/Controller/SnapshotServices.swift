package import Messages

/// CSI's GroupController and SnapshotMetadata services, which come with snapshots. They are served
/// so that a caller learns what is missing; no capability announces them.
package struct SnapshotServices: Sendable {
  package init() {}

  package func groupCapabilities(
    _ request: CSI.GroupControllerGetCapabilitiesRequest
  ) -> CSI.GroupControllerGetCapabilitiesResponse { .init() }

  /// For every other method of the two services.
  package func missing(_ method: String, _ capability: String) -> CallError {
    .unimplemented("\(method): the capability \(capability) is not offered yet")
  }
}
