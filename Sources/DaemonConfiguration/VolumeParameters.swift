package import StorageModel

/// The parameters of a storage class, checked: what a volume of the class shall be.
///
/// nil means that the class does not say. Names are camelCase; class files may write them in
/// snake_case. Unknown names are refused with the list of the known ones.
package struct VolumeParameters: Hashable, Sendable {
  package var diskType: DaemonConfiguration.DiskType?
  package var fileSystem: FileSystemType?
  package var encrypts: Bool?
  package var keyManagement: KeyManagement?
  package var replicaCount: Int?
  package var raidLevel: Int?
  package var strategy: ReplicationStrategy?
  package var writeConcern: WriteConcern?
  package var persistenceLevel: PersistenceLevel?
  package var allowsDegraded: Bool?
  package var blockSize: BlockSize?

  /// The names, as classes write them.
  package enum Name: String, CaseIterable, Sendable {
    case allowDegraded, blockSize, consistencyLevel, diskType, encryption, encryptionAlgorithm
    case fsType, keyManagement, persistenceLevel, raidLevel, replication, replicationStrategy
    case writeConcern
  }

  package enum KeyManagement: String, Sendable, CaseIterable {
    case `internal`
    case externalKMS = "external-kms"
    case hsm
  }

  /// What CSI's provisioner adds about the claim (`--extra-create-metadata`); not parameters.
  package static let metadataPrefix = "csi.storage.k8s.io/"

  /// Throws `Refusal` (invalid) that names the parameter, its value and what is allowed.
  package init(parsing parameters: [String: String]) throws(Refusal) {
    var algorithm: EncryptionAlgorithm?
    for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
      if name.hasPrefix(Self.metadataPrefix) { continue }
      guard let known = Name(rawValue: name) else { throw Self.unknown(name) }
      switch known {
      case .allowDegraded: allowsDegraded = try Self.truth(value, name)
      case .blockSize: blockSize = try Self.blockSize(value, name)
      case .consistencyLevel: try Self.expect(value, among: ["strong"], name)
      case .diskType: diskType = try Self.choice(value, name)
      case .encryption: encrypts = try Self.truth(value, name)
      case .encryptionAlgorithm: algorithm = try Self.choice(value, name)
      case .fsType: fileSystem = try Self.choice(value, name)
      case .keyManagement: keyManagement = try Self.choice(value, name)
      case .persistenceLevel: persistenceLevel = try Self.choice(value, name)
      case .raidLevel: raidLevel = try Self.number(value, in: 0...1, name)
      case .replication:
        replicaCount = try Self.number(value, in: 1...DaemonConfiguration.mostReplicas, name)
      case .replicationStrategy: strategy = try Self.choice(value, name)
      case .writeConcern: writeConcern = try Self.choice(value, name)
      }
    }
    if let algorithm { try adopt(algorithm) }
  }

  private mutating func adopt(_ algorithm: EncryptionAlgorithm) throws(Refusal) {
    let wanted = algorithm != .none
    if let encrypts, encrypts != wanted {
      throw .invalid(
        "parameter encryption = \"\(encrypts)\" contradicts encryptionAlgorithm = "
          + "\"\(algorithm.rawValue)\"")
    }
    encrypts = wanted
  }

  private static func unknown(_ name: String) -> Refusal {
    let known = Name.allCases.map(\.rawValue)
    let hint = NearestWord.to(name, among: known).map { "did you mean \"\($0)\"? " } ?? ""
    return .invalid(
      "unknown parameter \"\(name)\"; \(hint)known are: \(known.joined(separator: ", "))")
  }

  private static func expect(_ value: String, among allowed: [String], _ name: String)
    throws(Refusal)
  {
    guard allowed.contains(value.lowercased()) else { throw wrong(value, name, allowed) }
  }

  private static func truth(_ value: String, _ name: String) throws(Refusal) -> Bool {
    switch value.lowercased() {
    case "true", "yes", "1": return true
    case "false", "no", "0": return false
    default: throw wrong(value, name, ["true", "false"])
    }
  }

  private static func number(_ value: String, in bounds: ClosedRange<Int>, _ name: String)
    throws(Refusal) -> Int
  {
    guard let number = Int(value), bounds.contains(number) else {
      throw wrong(value, name, ["a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"])
    }
    return number
  }

  private static func blockSize(_ value: String, _ name: String) throws(Refusal) -> BlockSize {
    let bytes = try ByteCount.parse(value, what: "parameter \(name)")
    guard let size = Int(exactly: bytes).flatMap({ BlockSize(byteCount: $0) }) else {
      throw wrong(value, name, ["a power of two from 4K to 64K"])
    }
    return size
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ value: String, _ name: String
  ) throws(Refusal) -> Choice where Choice.RawValue == String {
    let folded = value.lowercased()
    if let choice = Choice.allCases.first(where: { $0.rawValue.lowercased() == folded }) {
      return choice
    }
    throw wrong(value, name, Choice.allCases.map(\.rawValue))
  }

  private static func wrong(_ value: String, _ name: String, _ allowed: [String]) -> Refusal {
    .invalid(
      "parameter \(name) = \"\(value)\" is not understood; allowed is: "
        + allowed.joined(separator: ", "))
  }
}

/// The file systems that a container can ask for.
package enum FileSystemType: String, Sendable, CaseIterable {
  /// Ours, over FUSE.
  case galleonfs
  /// On the block volume, through a loop device.
  case ext4
  case xfs
}
