package import StorageModel

/// What the cluster knows of a volume, beyond what its replicas carry.
package struct VolumeEntry: Hashable, Sendable {
  package var specification: VolumeSpecification
  package var state: State
  /// Number of the configuration below; changed by compare-and-swap only.
  package var epoch: Epoch
  /// Identifiers of nodes.
  package var primary: String?
  package var members: [String]
  package var learners: [String]
  package var reclaimPolicy: ReclaimPolicy
  package var bindingMode: VolumeBindingMode
  /// Options that its class gives every mount.
  package var mountOptions: [String]
  /// File system that a container gets unless it asks for another: galleonfs, ext4 or xfs.
  package var fileSystem: String
  package var labels: [String: String]
  package var createdAt: Timestamp
  /// Nodes that may use the volume by CSI, at most one entry a node.
  package var publications: [Publication] = []

  package enum State: String, Sendable, CaseIterable {
    /// Wanted; its replicas are being made. Next: available, or gone.
    case creating
    /// Ready. Next: deleting.
    case available
    /// Its replicas are being removed. Next: gone.
    case deleting
  }

  package init(
    specification: VolumeSpecification, state: State, epoch: Epoch, primary: String?,
    members: [String], learners: [String] = [], reclaimPolicy: ReclaimPolicy,
    bindingMode: VolumeBindingMode, mountOptions: [String], fileSystem: String,
    labels: [String: String], createdAt: Timestamp
  ) {
    self.specification = specification
    self.state = state
    self.epoch = epoch
    self.primary = primary
    self.members = members
    self.learners = learners
    self.reclaimPolicy = reclaimPolicy
    self.bindingMode = bindingMode
    self.mountOptions = mountOptions
    self.fileSystem = fileSystem
    self.labels = labels
    self.createdAt = createdAt
  }

  package var id: VolumeID { specification.id }
  package var name: String { specification.name }

  /// Fewer replicas than wanted.
  package var isDegraded: Bool { members.count < specification.replicaCount }
}

/// A node, as it last told of itself.
package struct NodeEntry: Hashable, Sendable, Codable {
  package var id: String
  package var name: String
  package var zone: String?
  /// Of the data link and of the control API.
  package var address: String
  package var controlAddress: String
  package var capacityBytes: UInt64
  package var diskType: String?

  package init(
    id: String, name: String, zone: String?, address: String, controlAddress: String,
    capacityBytes: UInt64, diskType: String?
  ) {
    self.id = id
    self.name = name
    self.zone = zone
    self.address = address
    self.controlAddress = controlAddress
    self.capacityBytes = capacityBytes
    self.diskType = diskType
  }
}
