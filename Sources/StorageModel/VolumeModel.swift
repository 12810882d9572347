/// What a volume is for, as users say it.
package enum VolumeType: String, Sendable, CaseIterable {
  /// Lives until it is deleted.
  case persistent
  /// Lives no longer than its user: deleted when it is unpublished.
  case ephemeral
  /// Meant to be mounted by several at once.
  case shared
}

/// What a volume shows its user.
package enum VolumeContent: String, Sendable, CaseIterable {
  /// A POSIX file system, served by us.
  case fileSystem
  /// A raw device; object 0 of the volume.
  case block
}

/// When a write is answered.
package enum WriteConcern: String, Sendable, CaseIterable {
  /// In the primary's journal.
  case acknowledged
  /// Synced to the primary's disk.
  case durable
  /// In every in-sync replica's journal.
  case replicated
  /// Synced by members in two zones.
  case distributed
}

/// How a volume's records reach its other replicas.
package enum ReplicationStrategy: String, Sendable, CaseIterable {
  case synchronous
  case asynchronous
}

/// Which failure a volume survives.
package enum PersistenceLevel: String, Sendable, CaseIterable {
  /// One replica: a process's death.
  case basic
  /// Two pools of one node: a disk's death.
  case enhanced
  /// Several nodes: a node's death.
  case high
  /// Several zones: a data centre's death.
  case maximum
}

package enum ReclaimPolicy: String, Sendable, CaseIterable {
  case delete = "Delete"
  case retain = "Retain"
}

package enum VolumeBindingMode: String, Sendable, CaseIterable {
  case immediate = "Immediate"
  case waitForFirstConsumer = "WaitForFirstConsumer"
}

/// Who may have a volume open, and where: the modes of CSI's `VolumeCapability.AccessMode`.
package enum AccessMode: String, Sendable, CaseIterable {
  case singleNodeWriter = "SINGLE_NODE_WRITER"
  case singleNodeReaderOnly = "SINGLE_NODE_READER_ONLY"
  case multiNodeReaderOnly = "MULTI_NODE_READER_ONLY"
  case multiNodeSingleWriter = "MULTI_NODE_SINGLE_WRITER"
  case multiNodeMultiWriter = "MULTI_NODE_MULTI_WRITER"
  case singleNodeSingleWriter = "SINGLE_NODE_SINGLE_WRITER"
  case singleNodeMultiWriter = "SINGLE_NODE_MULTI_WRITER"

  package var isReadOnly: Bool {
    self == .singleNodeReaderOnly || self == .multiNodeReaderOnly
  }
}

/// How a volume's data is protected at rest.
package enum EncryptionAlgorithm: String, Sendable, CaseIterable {
  case none
  case aes256GCM = "AES-256-GCM"
}

/// All that a replica needs to know of its volume; every replica stores a copy.
package struct VolumeSpecification: Hashable, Sendable {
  package var id: VolumeID
  /// 1–128 bytes of `[A-Za-z0-9._-]`, starting with a letter or digit (`VolumeName`).
  package var name: String
  package var capacityBytes: UInt64
  package var blockSize: BlockSize
  package var type: VolumeType
  package var content: VolumeContent
  package var encryption: EncryptionAlgorithm
  package var replicaCount: Int
  package var storageClassName: String
  package var strategy: ReplicationStrategy
  package var writeConcern: WriteConcern

  package init(
    id: VolumeID, name: String, capacityBytes: UInt64, blockSize: BlockSize, type: VolumeType,
    content: VolumeContent, encryption: EncryptionAlgorithm, replicaCount: Int,
    storageClassName: String, strategy: ReplicationStrategy, writeConcern: WriteConcern
  ) {
    self.id = id
    self.name = name
    self.capacityBytes = capacityBytes
    self.blockSize = blockSize
    self.type = type
    self.content = content
    self.encryption = encryption
    self.replicaCount = replicaCount
    self.storageClassName = storageClassName
    self.strategy = strategy
    self.writeConcern = writeConcern
  }
}

/// A named way to make volumes.
package struct StorageClass: Hashable, Sendable {
  package var name: String
  package var provisioner: String
  package var parameters: [String: String]
  package var reclaimPolicy: ReclaimPolicy
  package var bindingMode: VolumeBindingMode
  package var allowedTopologies: [String]
  package var mountOptions: [String]

  package init(
    name: String, provisioner: String, parameters: [String: String],
    reclaimPolicy: ReclaimPolicy, bindingMode: VolumeBindingMode,
    allowedTopologies: [String] = [], mountOptions: [String] = []
  ) {
    self.name = name
    self.provisioner = provisioner
    self.parameters = parameters
    self.reclaimPolicy = reclaimPolicy
    self.bindingMode = bindingMode
    self.allowedTopologies = allowedTopologies
    self.mountOptions = mountOptions
  }
}
