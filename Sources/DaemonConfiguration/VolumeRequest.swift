package import StorageModel

/// What someone asks for when creating a volume; nil leaves it to class and configuration.
package struct VolumeRequest: Hashable, Sendable {
  package var name: String?
  package var sizeBytes: UInt64
  package var type: VolumeType
  package var content: VolumeContent?
  package var replicaCount: Int?

  package init(
    name: String? = nil, sizeBytes: UInt64, type: VolumeType = .persistent,
    content: VolumeContent? = nil, replicaCount: Int? = nil
  ) {
    self.name = name
    self.sizeBytes = sizeBytes
    self.type = type
    self.content = content
    self.replicaCount = replicaCount
  }

  /// Below, the file system's own keys would outweigh the data.
  package static let minimumSizeBytes: UInt64 = 1 << 20
  /// Sizes travel as signed 64-bit numbers; a power of two leaves room to round up.
  package static let maximumSizeBytes: UInt64 = 1 << 60
}

/// What the cluster has to give.
package struct ClusterFacts: Hashable, Sendable {
  package var nodeCount: Int
  /// Zones of the nodes that said theirs.
  package var zones: Set<String>
  /// What the pools lie on; nil if not said.
  package var diskType: DaemonConfiguration.DiskType?
  /// The size of the file system of the largest pool.
  package var poolCapacityBytes: UInt64

  package init(
    nodeCount: Int, zones: Set<String>, diskType: DaemonConfiguration.DiskType?,
    poolCapacityBytes: UInt64
  ) {
    self.nodeCount = nodeCount
    self.zones = zones
    self.diskType = diskType
    self.poolCapacityBytes = poolCapacityBytes
  }
}

/// What a request became.
package struct VolumePlan: Hashable, Sendable {
  package var specification: VolumeSpecification
  package var reclaimPolicy: ReclaimPolicy
  package var bindingMode: VolumeBindingMode
  package var mountOptions: [String]
  /// The file system that a container gets unless it asks for another.
  package var fileSystem: FileSystemType
  /// Fewer replicas can be made now than the volume shall have.
  package var isDegraded: Bool
  /// What the user should know, in sentences.
  package var remarks: [String]
}
