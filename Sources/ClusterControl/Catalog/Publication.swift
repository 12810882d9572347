package import StorageModel

/// A node that may use a volume, and how: CSI's ControllerPublishVolume, noted.
package struct Publication: Hashable, Sendable {
  package enum Access: String, Sendable, CaseIterable {
    case block
    case mount
  }

  /// The node's name.
  package var node: String
  package var mode: AccessMode
  package var access: Access
  package var isReadOnly: Bool

  package init(node: String, mode: AccessMode, access: Access, isReadOnly: Bool) {
    self.node = node
    self.mode = mode
    self.access = access
    self.isReadOnly = isReadOnly
  }
}
