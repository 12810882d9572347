package import StorageModel

/// What a node tells of one of its volumes.
package struct VolumeStatus: Hashable, Sendable {
  package var specification: VolumeSpecification
  package var epoch: Epoch
  package var lastLSN: LSN
  /// Bytes of data that the volume's blocks occupy; at most its capacity.
  package var usedBytes: UInt64
  /// nil for block volumes.
  package var fileSystem: FileSystemStatistics?
  package var fileCount: UInt64
  package var directoryCount: UInt64
  /// Blocks that did not verify and have no good copy: `object 17, block 3`.
  package var corruptBlocks: [String]
  /// Why the volume refuses writes, if it does.
  package var readOnlyReason: String?
  package var mounts: [MountRecord]
  package var lastSync: Timestamp?
  package var createdAt: Timestamp

  package init(
    specification: VolumeSpecification, epoch: Epoch, lastLSN: LSN, usedBytes: UInt64,
    fileSystem: FileSystemStatistics?, fileCount: UInt64, directoryCount: UInt64,
    corruptBlocks: [String], readOnlyReason: String?, mounts: [MountRecord],
    lastSync: Timestamp?, createdAt: Timestamp
  ) {
    self.specification = specification
    self.epoch = epoch
    self.lastLSN = lastLSN
    self.usedBytes = usedBytes
    self.fileSystem = fileSystem
    self.fileCount = fileCount
    self.directoryCount = directoryCount
    self.corruptBlocks = corruptBlocks
    self.readOnlyReason = readOnlyReason
    self.mounts = mounts
    self.lastSync = lastSync
    self.createdAt = createdAt
  }
}

/// One place where a volume is mounted or attached.
package struct MountRecord: Hashable, Sendable {
  package var volume: VolumeID
  package var path: String
  package var isReadOnly: Bool
  /// Mount options as given.
  package var options: [String]
  /// `galleonfs`, `ext4`, `xfs`, or `block` for a device published as a file.
  package var kind: String

  package init(
    volume: VolumeID, path: String, isReadOnly: Bool, options: [String], kind: String
  ) {
    self.volume = volume
    self.path = path
    self.isReadOnly = isReadOnly
    self.options = options
    self.kind = kind
  }
}

/// What a node's pool holds.
package struct PoolStatus: Hashable, Sendable {
  package var id: PoolID
  package var path: String
  package var totalBytes: UInt64
  package var availableBytes: UInt64
  /// Sum of the capacities promised to volumes (thin provisioning).
  package var provisionedBytes: UInt64
  package var journalBytes: UInt64
  package var readOnlyReason: String?

  package init(
    id: PoolID, path: String, totalBytes: UInt64, availableBytes: UInt64,
    provisionedBytes: UInt64, journalBytes: UInt64, readOnlyReason: String?
  ) {
    self.id = id
    self.path = path
    self.totalBytes = totalBytes
    self.availableBytes = availableBytes
    self.provisionedBytes = provisionedBytes
    self.journalBytes = journalBytes
    self.readOnlyReason = readOnlyReason
  }
}

/// How a volume is to be shown at a path.
package struct MountRequest: Hashable, Sendable {
  /// How the volume appears.
  package enum Presentation: Hashable, Sendable {
    /// Our file system; for block volumes the directory with `data`.
    case galleonfs
    /// A file system of the kernel on the block volume's loop device, made if the device is empty.
    case formatted(fileSystem: String)
    /// The block volume's loop device, bound to a file at the path.
    case device
  }

  package var path: String
  package var presentation: Presentation
  package var isReadOnly: Bool
  package var options: [String]
  /// A group that shall own the mount's root, with set-group-ID: CSI's VOLUME_MOUNT_GROUP.
  package var groupID: UInt32?

  package init(
    path: String, presentation: Presentation = .galleonfs, isReadOnly: Bool = false,
    options: [String] = [], groupID: UInt32? = nil
  ) {
    self.path = path
    self.presentation = presentation
    self.isReadOnly = isReadOnly
    self.options = options
    self.groupID = groupID
  }
}
