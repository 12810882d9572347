import ClusterControl
package import Messages
import StorageModel

extension ControllerService {
  /// Lets a node use a volume. The answer is the same for the same publication.
  package func publishVolume(
    _ request: CSI.ControllerPublishVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.ControllerPublishVolumeResponse {
    try Fields.required(request.volumeID, "volume_id")
    try Fields.required(request.nodeID, "node_id")
    guard let capability = request.volumeCapability else {
      throw .invalid("volume_capability is required")
    }
    let use = try VolumeUse(capability)
    let id = try Fields.knownVolumeID(request.volumeID)
    let wanted = Publication(
      node: request.nodeID, mode: use.mode, access: use.access == .block ? .block : .mount,
      isReadOnly: request.readonly || use.mode.isReadOnly)
    let control = control
    return try await runner.change("ControllerPublishVolume", "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      let volume = try await control.existing(id)
      let nodes = try await control.nodes()
      guard nodes.contains(where: { $0.name == wanted.node }) else {
        let known = nodes.map(\.name).sorted().joined(separator: ", ")
        throw .notFound("no node \"\(Fields.shown(wanted.node))\"; nodes are: \(known)")
      }
      try volume.check(use)
      try volume.checkReach(from: wanted.node)
      if try volume.conflictFree(wanted) {
        try await control.setPublications(id, volume.publications + [wanted])
      }
      return .init()
    }
  }

  /// Forbids a node, or all nodes, to use a volume. One that is not published is no error, nor
  /// is one that does not exist: it is published nowhere.
  package func unpublishVolume(
    _ request: CSI.ControllerUnpublishVolumeRequest, timeout: Duration? = nil
  ) async throws(CallError) -> CSI.ControllerUnpublishVolumeResponse {
    guard let id = try Fields.volumeID(request.volumeID) else { return .init() }
    let node = request.nodeID
    let control = control
    return try await runner.change("ControllerUnpublishVolume", "volume \(id)", timeout: timeout) {
      () async throws(CallError) in
      guard let volume = try await control.volume(id) else { return .init() }
      let rest = node.isEmpty ? [] : volume.publications.filter { $0.node != node }
      if rest != volume.publications { try await control.setPublications(id, rest) }
      return .init()
    }
  }
}

extension ControlledVolume {
  /// False if the very publication exists; throws if it contradicts one that does.
  fileprivate func conflictFree(_ wanted: Publication) throws(CallError) -> Bool {
    if let same = publications.first(where: { $0.node == wanted.node }) {
      if same == wanted { return false }
      throw .alreadyExists(
        "volume \(specification.id) is published to \(wanted.node) as \(same.words), not as "
          + "\(wanted.words); unpublish it first")
    }
    for other in publications where !other.allows(wanted) || !wanted.allows(other) {
      throw .precondition(
        "volume \(specification.id) is published to node \(other.node) as \(other.words), which "
          + "does not allow \(wanted.words) on \(wanted.node)")
    }
    return true
  }

  fileprivate func checkReach(from node: String) throws(CallError) {
    if places.isEmpty || places.contains(where: { $0.name == node }) { return }
    let names = places.map(\.name).joined(separator: ", ")
    throw .precondition(
      "volume \(specification.id) cannot be used on node \(node), only on: \(names)")
  }
}

extension Publication {
  fileprivate var words: String {
    "\(mode.rawValue), \(access.rawValue), \(isReadOnly ? "read-only" : "read-write")"
  }

  /// Whether another node may have the volume too.
  fileprivate func allows(_ other: Publication) -> Bool {
    switch mode {
    case .multiNodeReaderOnly: other.isReadOnly
    case .multiNodeSingleWriter: isReadOnly || other.isReadOnly
    case .multiNodeMultiWriter: true
    case .singleNodeWriter, .singleNodeReaderOnly, .singleNodeSingleWriter, .singleNodeMultiWriter:
      false
    }
  }
}
