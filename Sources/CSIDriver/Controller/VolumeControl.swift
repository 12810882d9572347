package import ClusterControl
package import DaemonConfiguration
package import StorageModel

/// What the Controller service needs of the cluster. Calls are made under the volume's lease.
package protocol VolumeControl: Sendable {
  /// False while starting. Throws when it cannot work (say, etcd does not answer).
  func isReady() async throws(CallError) -> Bool

  /// All nodes of the cluster.
  func nodes() async throws(CallError) -> [NodePlace]

  /// Makes the volume, durable in the configuration and ready to be published. One of that name
  /// that is what the order makes is given back; ALREADY_EXISTS names what differs.
  func create(_ order: VolumeOrder) async throws(CallError) -> ControlledVolume

  /// Deletes the volume and its data; one that does not exist is no error.
  func delete(_ id: VolumeID) async throws(CallError)

  /// Grows the volume to exactly this size; a volume that has it already is no error.
  func expand(_ id: VolumeID, toBytes: UInt64) async throws(CallError) -> ControlledVolume

  /// nil if there is none.
  func volume(_ id: VolumeID) async throws(CallError) -> ControlledVolume?

  func volume(named name: String) async throws(CallError) -> ControlledVolume?

  func volumes() async throws(CallError) -> [ControlledVolume]

  /// Notes that the volume is, or is no longer, published to a node. On return it is durable.
  func setPublications(_ id: VolumeID, _ publications: [Publication]) async throws(CallError)

  /// Room for volumes with these parameters, on the given nodes.
  func capacity(
    _ parameters: [String: String], _ nodes: [NodePlace]
  ) async throws(CallError) -> CapacityReport
}

/// A volume to be made.
package struct VolumeOrder: Hashable, Sendable {
  package var name: String
  package var capacityBytes: UInt64
  package var content: VolumeContent
  /// Of the StorageClass, checked.
  package var parameters: [String: String]
  /// What a container gets unless it asks for another.
  package var fileSystem: FileSystemType
  package var type: VolumeType
  /// Nodes on which the volume may lie, the best first; never empty.
  package var nodes: [NodePlace]

  package init(
    name: String, capacityBytes: UInt64, content: VolumeContent, parameters: [String: String],
    fileSystem: FileSystemType, type: VolumeType, nodes: [NodePlace]
  ) {
    self.name = name
    self.capacityBytes = capacityBytes
    self.content = content
    self.parameters = parameters
    self.fileSystem = fileSystem
    self.type = type
    self.nodes = nodes
  }
}

/// A volume as the cluster knows it.
package struct ControlledVolume: Hashable, Sendable {
  package var specification: VolumeSpecification
  package var fileSystem: FileSystemType
  package var publications: [Publication]
  /// Nodes that can use the volume; empty: every node.
  package var places: [NodePlace]
  /// What is not well, in sentences; empty if all is.
  package var troubles: [String]

  package init(
    specification: VolumeSpecification, fileSystem: FileSystemType, publications: [Publication],
    places: [NodePlace], troubles: [String]
  ) {
    self.specification = specification
    self.fileSystem = fileSystem
    self.publications = publications
    self.places = places
    self.troubles = troubles
  }
}

/// Room for new volumes.
package struct CapacityReport: Hashable, Sendable {
  package var availableBytes: UInt64
  package var largestVolumeBytes: UInt64

  package init(availableBytes: UInt64, largestVolumeBytes: UInt64) {
    self.availableBytes = availableBytes
    self.largestVolumeBytes = largestVolumeBytes
  }
}
