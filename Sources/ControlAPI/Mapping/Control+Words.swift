internal import DaemonConfiguration
internal import Messages
internal import StorageModel

// The words of the model and of the wire, both ways. Unknown numbers are refused where they come
// in; what is unspecified is nil.

extension VolumeType {
  init?(_ wire: Control.VolumeType) throws(Refusal) {
    switch wire {
    case .unspecified: return nil
    case .persistent: self = .persistent
    case .ephemeral: self = .ephemeral
    case .shared: self = .shared
    case .unrecognized(let number): throw .invalid("unknown volume type \(number)")
    }
  }

  var wire: Control.VolumeType {
    switch self {
    case .persistent: .persistent
    case .ephemeral: .ephemeral
    case .shared: .shared
    }
  }
}

extension VolumeContent {
  init?(_ wire: Control.VolumeContent) throws(Refusal) {
    switch wire {
    case .unspecified: return nil
    case .fileSystem: self = .fileSystem
    case .block: self = .block
    case .unrecognized(let number): throw .invalid("unknown volume content \(number)")
    }
  }

  var wire: Control.VolumeContent {
    switch self {
    case .fileSystem: .fileSystem
    case .block: .block
    }
  }
}

extension EncryptionAlgorithm {
  var wire: Control.EncryptionAlgorithm {
    switch self {
    case .none: .none
    case .aes256GCM: .aes256GCM
    }
  }
}

extension WriteConcern {
  var wire: Control.WriteConcern {
    switch self {
    case .acknowledged: .acknowledged
    case .durable: .durable
    case .replicated: .replicated
    case .distributed: .distributed
    }
  }
}

extension ReplicationStrategy {
  var wire: Control.ReplicationStrategy {
    switch self {
    case .synchronous: .synchronous
    case .asynchronous: .asynchronous
    }
  }
}

extension ReclaimPolicy {
  init?(_ wire: Control.ReclaimPolicy) throws(Refusal) {
    switch wire {
    case .unspecified: return nil
    case .delete: self = .delete
    case .retain: self = .retain
    case .unrecognized(let number): throw .invalid("unknown reclaim policy \(number)")
    }
  }

  var wire: Control.ReclaimPolicy {
    switch self {
    case .delete: .delete
    case .retain: .retain
    }
  }
}

extension VolumeBindingMode {
  init?(_ wire: Control.VolumeBindingMode) throws(Refusal) {
    switch wire {
    case .unspecified: return nil
    case .immediate: self = .immediate
    case .waitForFirstConsumer: self = .waitForFirstConsumer
    case .unrecognized(let number): throw .invalid("unknown volume binding mode \(number)")
    }
  }

  var wire: Control.VolumeBindingMode {
    switch self {
    case .immediate: .immediate
    case .waitForFirstConsumer: .waitForFirstConsumer
    }
  }
}

extension WellKnown.Timestamp {
  init(_ time: Timestamp) {
    self.init()
    seconds = time.seconds
    nanos = Int32(time.nanoseconds)
  }
}

extension StorageClass {
  init(_ wire: Control.StorageClass) throws(Refusal) {
    self.init(
      name: wire.name,
      provisioner: wire.provisioner.isEmpty
        ? StorageClassFile.standardProvisioner : wire.provisioner,
      parameters: wire.parameters,
      reclaimPolicy: try ReclaimPolicy(wire.reclaimPolicy) ?? .delete,
      bindingMode: try VolumeBindingMode(wire.volumeBindingMode) ?? .immediate,
      allowedTopologies: wire.allowedTopologies, mountOptions: wire.mountOptions)
  }

  var wire: Control.StorageClass {
    var wire = Control.StorageClass()
    wire.name = name
    wire.provisioner = provisioner
    wire.parameters = parameters
    wire.reclaimPolicy = reclaimPolicy.wire
    wire.volumeBindingMode = bindingMode.wire
    wire.allowedTopologies = allowedTopologies
    wire.mountOptions = mountOptions
    wire.isDefault = name == BuiltInStorageClasses.standardName
    wire.builtIn = BuiltInStorageClasses.all.contains { $0.name == name }
    return wire
  }
}
