internal import Messages

/// How volumes read in tables.
enum VolumeWording {
  static func row(_ volume: Control.Volume) -> [String] {
    [
      volume.name, volume.id, Wording.size(volume.capacityBytes), Wording.size(volume.usedBytes),
      volume.storageClass, volume.type.word, state(volume),
      "\(volume.replicasInSync)/\(volume.replicasWanted)",
    ]
  }

  /// The state, with what is wrong beside it.
  static func state(_ volume: Control.Volume) -> String {
    var words = [volume.state.word]
    if volume.condition?.degraded == true { words.append("degraded") }
    if volume.condition?.readOnly == true { words.append("read-only") }
    if volume.condition?.corruptBlocks.isEmpty == false { words.append("corrupt blocks") }
    return words.joined(separator: ", ")
  }

  static func summary(_ volume: Control.Volume) -> String {
    Wording.details([
      ("ID", volume.id), ("Name", volume.name), ("Type", volume.type.word),
      ("Size", Wording.exactSize(volume.capacityBytes)),
      ("Storage Class", volume.storageClass), ("State", state(volume)),
      ("Encryption", volume.encryption.word), ("Replicas", replicas(volume)),
    ])
  }

  static func details(_ volume: Control.Volume) -> String {
    var text = Wording.details([
      ("ID", volume.id), ("Name", volume.name), ("Type", volume.type.word),
      ("Content", volume.content.word), ("Size", Wording.exactSize(volume.capacityBytes)),
      ("Used", Wording.exactSize(volume.usedBytes)),
      ("Block Size", Wording.exactSize(UInt64(volume.blockSizeBytes))),
      ("Storage Class", volume.storageClass), ("State", state(volume)),
      ("Encryption", volume.encryption.word), ("Replicas", replicas(volume)),
      ("Replication", volume.replicationStrategy.word),
      ("Write Concern", volume.writeConcern.word),
      ("Reclaim Policy", volume.reclaimPolicy.word),
      ("Primary Node", volume.primaryNode), ("Epoch", "\(volume.epoch)"),
      ("Created", volume.createdAt.map { CivilTime($0).text } ?? ""),
    ])
    for mount in volume.mounts {
      let access = mount.readOnly ? "ro" : "rw"
      let options = ([access] + mount.options.filter { $0 != access }).joined(separator: ",")
      text += "  Mounted at: \(mount.path) (\(options))\n"
    }
    for message in volume.condition?.messages ?? [] { text += "  Condition: \(message)\n" }
    for block in volume.condition?.corruptBlocks ?? [] {
      text += "  Corrupt: object \(block.object), block \(block.block)"
      text += block.detail.isEmpty ? "\n" : ": \(block.detail)\n"
    }
    return text
  }

  private static func replicas(_ volume: Control.Volume) -> String {
    "\(volume.replicasInSync) of \(volume.replicasWanted) in sync"
  }
}
