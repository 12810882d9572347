internal import DaemonConfiguration
internal import FoundationEssentials
internal import StorageModel

/// The JSON under the catalogue's keys. Every value has a `version`; fields are only ever added.
enum CatalogCoding {
  /// The newest version that is written and understood.
  static let version = 1

  static func encode(_ entry: VolumeEntry) -> [UInt8] { bytes(of: StoredVolume(entry)) }
  static func encode(_ entry: NodeEntry) -> [UInt8] {
    bytes(of: Versioned(version: version, value: entry))
  }
  static func encode(_ storageClass: StorageClass) -> [UInt8] {
    bytes(of: StoredClass(storageClass))
  }
  static func encode(text: String) -> [UInt8] {
    bytes(of: Versioned(version: version, value: text))
  }

  static func volume(from value: StoredValue) throws(Refusal) -> VolumeEntry {
    guard let entry = try decode(StoredVolume.self, value).entry else {
      throw damaged(value, "a field has a value that is not allowed")
    }
    return entry
  }

  static func node(from value: StoredValue) throws(Refusal) -> NodeEntry {
    try decode(Versioned<NodeEntry>.self, value).value
  }

  static func storageClass(from value: StoredValue) throws(Refusal) -> StorageClass {
    guard let found = try decode(StoredClass.self, value).storageClass else {
      throw damaged(value, "a field has a value that is not allowed")
    }
    return found
  }

  static func text(from value: StoredValue) throws(Refusal) -> String {
    try decode(Versioned<String>.self, value).value
  }

  private static func bytes(of value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    // Encoding plain texts, numbers and lists does not fail.
    return (try? encoder.encode(value)).map { Array($0) } ?? []
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ value: StoredValue)
    throws(Refusal) -> Value
  {
    let data = Data(value.bytes)
    do {
      let found = try JSONDecoder().decode(VersionOnly.self, from: data).version
      guard (1...version).contains(found) else {
        throw Refusal(
          .internal,
          "\(value.key) has version \(found), this program understands up to \(version); use a "
            + "newer one")
      }
      return try JSONDecoder().decode(type, from: data)
    } catch let refusal as Refusal {
      throw refusal
    } catch {
      throw damaged(value, "it is not the JSON that was expected")
    }
  }

  private static func damaged(_ value: StoredValue, _ reason: String) -> Refusal {
    Refusal(
      .internal,
      "the cluster's configuration is damaged at \(value.key) (\(value.bytes.count) bytes): "
        + reason)
  }
}

private struct VersionOnly: Decodable {
  var version: Int
}

private struct Versioned<Value: Codable>: Codable {
  var version: Int
  var value: Value
}

/// `VolumeEntry` as JSON has it.
private struct StoredVolume: Codable {
  var version: Int
  var id: String
  var name: String
  var capacityBytes: UInt64
  var blockSizeBytes: Int
  var type: String
  var content: String
  var encryption: String
  var replicaCount: Int
  var storageClass: String
  var strategy: String
  var writeConcern: String
  var state: String
  var epoch: UInt64
  var primary: String?
  var members: [String]
  var learners: [String]
  var reclaimPolicy: String
  var bindingMode: String
  var mountOptions: [String]
  var fileSystem: String
  var labels: [String: String]
  var createdAtSeconds: Int64
  /// nil in entries of before it was added.
  var publications: [StoredPublication]?

  init(_ entry: VolumeEntry) {
    let specification = entry.specification
    version = CatalogCoding.version
    id = specification.id.description
    name = specification.name
    capacityBytes = specification.capacityBytes
    blockSizeBytes = specification.blockSize.byteCount
    type = specification.type.rawValue
    content = specification.content.rawValue
    encryption = specification.encryption.rawValue
    replicaCount = specification.replicaCount
    storageClass = specification.storageClassName
    strategy = specification.strategy.rawValue
    writeConcern = specification.writeConcern.rawValue
    state = entry.state.rawValue
    epoch = entry.epoch.rawValue
    primary = entry.primary
    members = entry.members
    learners = entry.learners
    reclaimPolicy = entry.reclaimPolicy.rawValue
    bindingMode = entry.bindingMode.rawValue
    mountOptions = entry.mountOptions
    fileSystem = entry.fileSystem
    labels = entry.labels
    createdAtSeconds = entry.createdAt.seconds
    publications = entry.publications.map(StoredPublication.init)
  }

  /// nil if a value is not one that could have been written.
  var entry: VolumeEntry? {
    guard let specification, let state = VolumeEntry.State(rawValue: state),
      let reclaimPolicy = ReclaimPolicy(rawValue: reclaimPolicy),
      let bindingMode = VolumeBindingMode(rawValue: bindingMode), epoch > 0
    else { return nil }
    var entry = VolumeEntry(
      specification: specification, state: state, epoch: Epoch(epoch), primary: primary,
      members: members, learners: learners, reclaimPolicy: reclaimPolicy,
      bindingMode: bindingMode, mountOptions: mountOptions, fileSystem: fileSystem,
      labels: labels, createdAt: Timestamp(seconds: createdAtSeconds, nanoseconds: 0))
    for stored in publications ?? [] {
      guard let publication = stored.publication else { return nil }
      entry.publications.append(publication)
    }
    return entry
  }

  private var specification: VolumeSpecification? {
    guard let id = VolumeID(id), VolumeName.fault(in: name) == nil,
      let blockSize = BlockSize(byteCount: blockSizeBytes), let type = VolumeType(rawValue: type),
      let content = VolumeContent(rawValue: content),
      let encryption = EncryptionAlgorithm(rawValue: encryption), replicaCount > 0,
      let strategy = ReplicationStrategy(rawValue: strategy),
      let writeConcern = WriteConcern(rawValue: writeConcern)
    else { return nil }
    return VolumeSpecification(
      id: id, name: name, capacityBytes: capacityBytes, blockSize: blockSize, type: type,
      content: content, encryption: encryption, replicaCount: replicaCount,
      storageClassName: storageClass, strategy: strategy, writeConcern: writeConcern)
  }
}

/// `StorageClass` as JSON has it.
private struct StoredClass: Codable {
  var version: Int
  var name: String
  var provisioner: String
  var parameters: [String: String]
  var reclaimPolicy: String
  var bindingMode: String
  var allowedTopologies: [String]
  var mountOptions: [String]

  init(_ storageClass: StorageClass) {
    version = CatalogCoding.version
    name = storageClass.name
    provisioner = storageClass.provisioner
    parameters = storageClass.parameters
    reclaimPolicy = storageClass.reclaimPolicy.rawValue
    bindingMode = storageClass.bindingMode.rawValue
    allowedTopologies = storageClass.allowedTopologies
    mountOptions = storageClass.mountOptions
  }

  var storageClass: StorageClass? {
    guard let reclaimPolicy = ReclaimPolicy(rawValue: reclaimPolicy),
      let bindingMode = VolumeBindingMode(rawValue: bindingMode)
    else { return nil }
    return StorageClass(
      name: name, provisioner: provisioner, parameters: parameters, reclaimPolicy: reclaimPolicy,
      bindingMode: bindingMode, allowedTopologies: allowedTopologies, mountOptions: mountOptions)
  }
}

/// `Publication` as JSON has it.
private struct StoredPublication: Codable {
  var node: String
  var mode: String
  var access: String
  var isReadOnly: Bool

  init(_ publication: Publication) {
    node = publication.node
    mode = publication.mode.rawValue
    access = publication.access.rawValue
    isReadOnly = publication.isReadOnly
  }

  var publication: Publication? {
    guard let mode = AccessMode(rawValue: mode),
      let access = Publication.Access(rawValue: access)
    else { return nil }
    return Publication(node: node, mode: mode, access: access, isReadOnly: isReadOnly)
  }
}
