internal import ClusterControl
internal import Messages
internal import NodeRuntime
internal import StorageModel

/// Volumes as the control API shows them: what the catalogue knows joined with what the node sees.
struct VolumeMessages {
  let nodeName: String
  let nodeID: String

  /// `status` is nil when the node does not hold the volume.
  func volume(_ entry: VolumeEntry, _ status: VolumeStatus?) -> Control.Volume {
    let specification = entry.specification
    var volume = Control.Volume()
    volume.id = entry.id.description
    volume.name = entry.name
    volume.capacityBytes = specification.capacityBytes
    volume.usedBytes = status?.usedBytes ?? 0
    volume.blockSizeBytes = UInt32(specification.blockSize.byteCount)
    volume.type = specification.type.wire
    volume.content = specification.content.wire
    volume.storageClass = specification.storageClassName
    volume.encryption = specification.encryption.wire
    volume.replicasWanted = UInt32(clamping: specification.replicaCount)
    volume.replicasInSync = UInt32(clamping: entry.members.count)
    volume.state = state(entry, status)
    volume.condition = condition(entry, status)
    volume.epoch = entry.epoch.rawValue
    volume.primaryNode = entry.primary.map(name) ?? ""
    volume.mounts = (status?.mounts ?? []).map { mount($0) }
    volume.labels = entry.labels
    volume.createdAt = WellKnown.Timestamp(entry.createdAt)
    volume.reclaimPolicy = entry.reclaimPolicy.wire
    volume.writeConcern = specification.writeConcern.wire
    volume.replicationStrategy = specification.strategy.wire
    // What it has, not what was asked for: one replica survives no node's and no disk's death.
    volume.persistenceLevel = entry.members.count > 1 ? .high : .basic
    volume.replicas = entry.members.map { member in
      var replica = Control.VolumeReplica()
      replica.node = name(member)
      replica.role = member == entry.primary ? .primary : .member
      replica.lsn = member == nodeID ? status?.lastLSN.rawValue ?? 0 : 0
      return replica
    }
    return volume
  }

  func mount(_ record: MountRecord) -> Control.VolumeMount {
    var mount = Control.VolumeMount()
    mount.node = nodeName
    mount.path = record.path
    mount.readOnly = record.isReadOnly
    mount.options = record.options
    return mount
  }

  func vfsMount(_ record: MountRecord, _ status: VolumeStatus) -> Control.VFSMount {
    var mount = Control.VFSMount()
    mount.volumeID = record.volume.description
    mount.volumeName = status.specification.name
    mount.mountPoint = record.path
    mount.readOnly = record.isReadOnly
    mount.state = status.readOnlyReason == nil ? .active : .readOnly
    mount.files = status.fileCount
    mount.directories = status.directoryCount
    mount.totalSizeBytes = status.usedBytes
    mount.capacityBytes = status.specification.capacityBytes
    mount.lastSyncedAt = status.lastSync.map { WellKnown.Timestamp($0) }
    mount.node = nodeName
    return mount
  }

  private func name(_ node: String) -> String { node == nodeID ? nodeName : node }

  private func state(_ entry: VolumeEntry, _ status: VolumeStatus?) -> Control.VolumeState {
    switch entry.state {
    case .creating: .creating
    case .deleting: .deleting
    case .available:
      if let status { status.mounts.isEmpty ? .available : .inUse } else { .failed }
    }
  }

  private func condition(_ entry: VolumeEntry, _ status: VolumeStatus?) -> Control.VolumeCondition {
    var condition = Control.VolumeCondition()
    condition.degraded = entry.isDegraded
    if entry.isDegraded {
      condition.messages.append(
        "degraded: \(entry.members.count) of \(entry.specification.replicaCount) replicas are in "
          + "sync; the missing ones are made when nodes join")
    }
    if status == nil, entry.state == .available {
      condition.messages.append("the replica is missing from this node's pool")
    }
    if let reason = status?.readOnlyReason {
      condition.readOnly = true
      condition.messages.append("read-only: \(reason)")
    }
    let corrupt = status?.corruptBlocks ?? []
    condition.corruptBlocks = corrupt.map { block($0) }
    if !corrupt.isEmpty {
      condition.messages.append(
        "corrupt blocks, and no good copy: \(corrupt.joined(separator: "; "))")
    }
    return condition
  }

  /// The node names a block `object 17, block 3`.
  private func block(_ place: String) -> Control.CorruptBlock {
    let numbers = place.split { !$0.isASCII || !$0.isNumber }.compactMap { UInt64($0) }
    var block = Control.CorruptBlock()
    block.node = nodeName
    block.detail = place
    if numbers.count >= 2 {
      block.object = numbers[0]
      block.block = numbers[1]
    }
    return block
  }
}
