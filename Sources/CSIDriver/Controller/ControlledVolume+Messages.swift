import ClusterControl
import DaemonConfiguration
import Messages
import StorageModel

extension ControlledVolume {
  static let fileSystemKey = "fsType"

  var message: CSI.Volume {
    CSI.Volume(
      capacityBytes: Int64(clamping: specification.capacityBytes),
      volumeID: specification.id.description, volumeContext: context,
      accessibleTopology: places.map(\.topology))
  }

  /// What never changes and the node wants to know.
  var context: [String: String] { [Self.fileSystemKey: fileSystem.rawValue] }

  var publishedNodes: [String] { publications.map(\.node).sorted() }

  var condition: CSI.VolumeCondition {
    CSI.VolumeCondition(
      abnormal: !troubles.isEmpty,
      message: troubles.isEmpty ? "all is well" : troubles.joined(separator: "; "))
  }

  /// Throws INVALID_ARGUMENT if the volume cannot be used like this.
  func check(_ use: VolumeUse) throws(CallError) {
    try specification.check(use, fileSystem)
  }

  /// What the parameters promise and the volume does not keep; nil if it keeps all. More than was
  /// promised is fine: the configuration may demand encryption or more replicas.
  func shortcoming(against parameters: VolumeParameters) -> String? {
    let now = specification
    if parameters.encrypts == true, now.encryption == .none { return "it is not encrypted" }
    if let wanted = parameters.replicaCount, wanted > now.replicaCount {
      return "it has \(now.replicaCount) replicas, not \(wanted)"
    }
    if let wanted = parameters.blockSize, wanted != now.blockSize {
      return "its blocks have \(now.blockSize.byteCount) bytes, not \(wanted.byteCount)"
    }
    if let wanted = parameters.strategy, wanted != now.strategy {
      return "its replication is \(now.strategy.rawValue), not \(wanted.rawValue)"
    }
    if let wanted = parameters.writeConcern, wanted != now.writeConcern {
      return "its write concern is \(now.writeConcern.rawValue), not \(wanted.rawValue)"
    }
    return nil
  }
}

extension VolumeSpecification {
  /// Throws INVALID_ARGUMENT if the volume cannot be used like this.
  func check(_ use: VolumeUse, _ fileSystem: FileSystemType) throws(CallError) {
    let wanted = use.content(default: fileSystem)
    if wanted == content { return }
    switch content {
    case .fileSystem:
      throw .invalid(
        "volume \(id) holds a galleonfs file system: it can be mounted as galleonfs only")
    case .block:
      throw .invalid(
        "volume \(id) is a device: it can be used as block, ext4 or xfs, not as galleonfs")
    }
  }
}
