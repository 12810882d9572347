import DaemonConfiguration
package import StorageModel

/// What the Node service needs of its host. What is mounted is asked for each time, never counted.
package protocol NodeHost: Sendable {
  var place: NodePlace { get }

  /// False while starting. Throws when it cannot work.
  func isReady() async throws(CallError) -> Bool

  /// Throws NOT_FOUND for a volume that this node cannot use.
  func volume(_ id: VolumeID) async throws(CallError) -> HostedVolume

  /// What of ours is mounted or attached, stages and publications alike.
  func mounts() async throws(CallError) -> [HostedMount]

  /// The path as `mounts` names it: its parent without symbolic links.
  func resolved(_ path: String) async -> String

  /// Mounts or attaches the volume at the staging path, an existing directory. If it is there
  /// already, heals it where it is dead.
  func stage(_ id: VolumeID, at path: String, _ order: MountOrder) async throws(CallError)

  /// Undoes `stage`; nothing staged there is no error. The directory stays.
  func unstage(_ id: VolumeID, at path: String) async throws(CallError)

  /// Shows what is staged at `staging` at the target too, made if missing (its parent exists). If
  /// it is there already, heals it where it is dead.
  func publish(
    _ id: VolumeID, from staging: String, at target: String, _ order: MountOrder
  ) async throws(CallError)

  /// Undoes `publish` and removes the target; nothing there is no error.
  func unpublish(at target: String) async throws(CallError)

  /// Lets the mounted file system or device grow to the volume's capacity, at least `bytes`.
  /// Returns the capacity.
  func expand(_ id: VolumeID, toBytes bytes: UInt64) async throws(CallError) -> UInt64
}

/// How a volume is to be shown.
package struct MountOrder: Hashable, Sendable {
  package enum Kind: String, Sendable {
    case galleonfs
    case ext4
    case xfs
    case block

    init(_ fileSystem: FileSystemType) {
      switch fileSystem {
      case .galleonfs: self = .galleonfs
      case .ext4: self = .ext4
      case .xfs: self = .xfs
      }
    }
  }

  package var kind: Kind
  package var isReadOnly: Bool
  /// As given, checked.
  package var options: [String]
  package var groupID: UInt32?
  package var mode: AccessMode

  package init(
    kind: Kind, isReadOnly: Bool, options: [String], groupID: UInt32?, mode: AccessMode
  ) {
    self.kind = kind
    self.isReadOnly = isReadOnly
    self.options = options
    self.groupID = groupID
    self.mode = mode
  }
}

/// A place where a volume is mounted or attached.
package struct HostedMount: Hashable, Sendable {
  package var volume: VolumeID
  /// Staging or target path.
  package var path: String
  /// Raw value of `MountOrder.Kind`.
  package var kind: String
  package var isReadOnly: Bool

  package init(volume: VolumeID, path: String, kind: String, isReadOnly: Bool) {
    self.volume = volume
    self.path = path
    self.kind = kind
    self.isReadOnly = isReadOnly
  }
}

/// A volume as its node sees it.
package struct HostedVolume: Hashable, Sendable {
  package var specification: VolumeSpecification
  /// Bytes that its data occupies.
  package var usedBytes: UInt64
  /// nil for block volumes.
  package var inodes: InodeUsage?
  /// What is not well, in sentences; empty if all is.
  package var troubles: [String]

  package struct InodeUsage: Hashable, Sendable {
    package var total: UInt64
    package var free: UInt64

    package init(total: UInt64, free: UInt64) {
      self.total = total
      self.free = free
    }
  }

  package init(
    specification: VolumeSpecification, usedBytes: UInt64, inodes: InodeUsage?, troubles: [String]
  ) {
    self.specification = specification
    self.usedBytes = usedBytes
    self.inodes = inodes
    self.troubles = troubles
  }
}
