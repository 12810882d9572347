import NodeRuntime
import StorageModel

/// What a volume is for.
public enum VolumeType: String, Sendable, CaseIterable {
  /// Lives until it is deleted.
  case persistent
  /// For data that need not outlive its user. It too stays until it is deleted.
  case ephemeral
  /// Meant to be mounted by several at once.
  case shared
}

/// What a volume shows its user.
public enum VolumeContent: String, Sendable, CaseIterable {
  /// A POSIX file system, reached through a mount.
  case fileSystem
  /// A raw device, read and written block by block or through a mount.
  case block
}

/// When a write is answered.
public enum WriteConcern: String, Sendable, CaseIterable {
  /// In the journal: the write outlives this process.
  case acknowledged
  /// Synced to the disk: the write outlives a power cut.
  case durable
  /// On every in-sync replica. A storage path in one process has one, so it is synced there.
  case replicated
  /// Synced in two zones; refused as long as there is one node.
  case distributed
}

/// How a volume does.
public enum VolumeState: Hashable, Sendable {
  case available
  /// Works, with fewer replicas than its class wants.
  case degraded
  /// Blocks that rotted are refused, the rest works: `object 0, block 3`.
  case damaged(blocks: [String])
  /// Refuses writes, for this reason.
  case readOnly(reason: String)
}

/// One volume, as it was when it was asked for.
public struct Volume: Hashable, Sendable, Identifiable {
  /// A UUID in lower case, for as long as the volume exists.
  public var id: String
  /// Unique in its storage path.
  public var name: String
  /// What it is for.
  public var type: VolumeType
  /// What it shows.
  public var content: VolumeContent
  /// How it does.
  public var state: VolumeState
  /// Bytes that it can hold.
  public var sizeBytes: UInt64
  /// The unit of `readBlock` and `writeBlock`: 4096 to 65536, a power of two.
  public var blockByteCount: Int
  /// The class that it was made of.
  public var storageClass: String
  /// What the class wants; one is here.
  public var replicaCount: Int
  /// Whether data, names and attributes are encrypted on disk.
  public var isEncrypted: Bool
  /// How writes are answered that name no concern.
  public var writeConcern: WriteConcern
  /// Seconds since 1970.
  public var createdSeconds: Int64

  /// Blocks that `readBlock` and `writeBlock` take: 0 ..< this.
  public var blockCount: UInt64 { sizeBytes / UInt64(blockByteCount) }
}

/// What a volume occupies.
public struct VolumeUsage: Hashable, Sendable {
  /// Bytes that it can hold.
  public var sizeBytes: UInt64
  /// Bytes of the blocks that hold data; space is taken when it is first written.
  public var usedBytes: UInt64
  /// What can still be written, as far as the disk below has room.
  public var availableBytes: UInt64
  /// Zero for block volumes.
  public var fileCount: UInt64
  /// Zero for block volumes.
  public var directoryCount: UInt64
}

/// One place where a volume is mounted.
public struct VolumeMount: Hashable, Sendable {
  /// The volume's `id`.
  public var volume: String
  /// Absolute, without symbolic links.
  public var path: String
  /// Whether this place refuses writes.
  public var isReadOnly: Bool
  /// As the kernel names them.
  public var options: [String]
}

extension Volume {
  init(_ status: VolumeStatus) {
    let specification = status.specification
    id = specification.id.description
    name = specification.name
    type = VolumeType(specification.type)
    content = specification.content == .block ? .block : .fileSystem
    sizeBytes = specification.capacityBytes
    blockByteCount = specification.blockSize.byteCount
    storageClass = specification.storageClassName
    replicaCount = specification.replicaCount
    isEncrypted = specification.encryption != .none
    writeConcern = WriteConcern(specification.writeConcern)
    createdSeconds = status.createdAt.seconds
    if let reason = status.readOnlyReason {
      state = .readOnly(reason: reason)
    } else if !status.corruptBlocks.isEmpty {
      state = .damaged(blocks: status.corruptBlocks)
    } else {
      state = specification.replicaCount > 1 ? .degraded : .available
    }
  }
}

extension VolumeUsage {
  init(_ status: VolumeStatus) {
    sizeBytes = status.specification.capacityBytes
    usedBytes = status.usedBytes
    availableBytes = sizeBytes - min(sizeBytes, usedBytes)
    fileCount = status.fileCount
    directoryCount = status.directoryCount
  }
}

extension VolumeMount {
  init(_ record: MountRecord) {
    volume = record.volume.description
    path = record.path
    isReadOnly = record.isReadOnly
    options = record.options
  }
}

extension VolumeType {
  fileprivate init(_ type: StorageModel.VolumeType) {
    switch type {
    case .persistent: self = .persistent
    case .ephemeral: self = .ephemeral
    case .shared: self = .shared
    }
  }

  var model: StorageModel.VolumeType {
    switch self {
    case .persistent: .persistent
    case .ephemeral: .ephemeral
    case .shared: .shared
    }
  }
}

extension VolumeContent {
  var model: StorageModel.VolumeContent {
    switch self {
    case .fileSystem: .fileSystem
    case .block: .block
    }
  }
}

extension WriteConcern {
  init(_ concern: StorageModel.WriteConcern) {
    switch concern {
    case .acknowledged: self = .acknowledged
    case .durable: self = .durable
    case .replicated: self = .replicated
    case .distributed: self = .distributed
    }
  }
}
