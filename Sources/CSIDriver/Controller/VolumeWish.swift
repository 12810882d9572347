import DaemonConfiguration
import Messages
import StorageModel

/// A `CreateVolumeRequest`, checked.
struct VolumeWish: Sendable {
  let name: String
  private let capacity: WantedCapacity?
  private let uses: [VolumeUse]
  private let parameters: [String: String]
  private let parsed: VolumeParameters
  private let requisite: [CSI.Topology]
  private let preferred: [CSI.Topology]
  private let content: VolumeContent

  init(_ request: CSI.CreateVolumeRequest) throws(CallError) {
    try Fields.volumeName(request.name)
    name = request.name
    uses = try Fields.capabilities(request.volumeCapabilities)
    parsed = try Fields.parameters(request.parameters)
    parameters = request.parameters
    try Fields.mutableParameters(request.mutableParameters)
    capacity =
      if let range = request.capacityRange { try WantedCapacity(range) } else { nil }
    if request.volumeContentSource != nil {
      throw .invalid(
        "volume_content_source is not supported yet: neither CLONE_VOLUME nor "
          + "CREATE_DELETE_SNAPSHOT is offered")
    }
    requisite = request.accessibilityRequirements?.requisite ?? []
    preferred = request.accessibilityRequirements?.preferred ?? []
    for place in requisite + preferred { try NodePlace.check(place) }
    content = try Self.content(uses, parsed)
  }

  /// What is to be made, on those of the nodes that were asked for; of the size that `existing`,
  /// a volume of this name, has.
  func order(
    on nodes: [NodePlace], like existing: ControlledVolume? = nil
  ) throws(CallError) -> VolumeOrder {
    let isEverywhere = requisite.isEmpty
    let allowed = nodes.filter { node in isEverywhere || requisite.contains { node.lies(in: $0) } }
    if allowed.isEmpty {
      throw .exhausted(
        "no node lies in accessibility_requirements.requisite; nodes are: "
          + nodes.map(\.name).sorted().joined(separator: ", "))
    }
    let ranked = allowed.enumerated().sorted { left, right in
      (rank(left.element), left.offset) < (rank(right.element), right.offset)
    }
    let bytes = if let existing { existing.specification.capacityBytes } else { try newBytes() }
    return VolumeOrder(
      name: name, capacityBytes: bytes, content: content,
      parameters: parameters,
      fileSystem: fileSystem, type: isShared ? .shared : .persistent, nodes: ranked.map(\.element))
  }

  /// Throws ALREADY_EXISTS unless the volume of this name has the size, content and place that this
  /// call asks for. The cluster itself compares what follows from parameters.
  func check(_ volume: ControlledVolume) throws(CallError) {
    let specification = volume.specification
    func differs(_ what: String) -> CallError {
      .alreadyExists("volume \(name) exists (\(specification.id)), but \(what)")
    }
    if let capacity, !capacity.allows(specification.capacityBytes) {
      throw differs(
        "has \(specification.capacityBytes) bytes where \(capacity.description) are wanted")
    }
    if specification.content != content {
      throw differs("its content is \(specification.content), not \(content)")
    }
    let isReachable =
      requisite.isEmpty || volume.places.isEmpty
      || volume.places.contains { node in requisite.contains { node.lies(in: $0) } }
    if !isReachable { throw differs("it is on no node of accessibility_requirements.requisite") }
  }

  /// Position of the first preferred place that holds the node.
  private func rank(_ node: NodePlace) -> Int {
    preferred.firstIndex { node.lies(in: $0) } ?? preferred.count
  }

  private var isShared: Bool {
    uses.contains { $0.mode == .multiNodeMultiWriter || $0.mode == .multiNodeSingleWriter }
  }

  private func newBytes() throws(CallError) -> UInt64 {
    let blockSize = parsed.blockSize ?? .standard
    if let capacity { return try capacity.newVolumeBytes(blockSize) }
    return WantedCapacity.standardBytes
  }

  /// The file system of the volume's life: the first capability that names one decides, then the
  /// class, then what the content allows.
  private var fileSystem: FileSystemType {
    for case .mount(let type?) in uses.map(\.access) { return type }
    return parsed.fileSystem ?? (content == .block ? .ext4 : .galleonfs)
  }

  /// A volume holds a file system of ours or a device; all capabilities must agree on which.
  private static func content(
    _ uses: [VolumeUse], _ parameters: VolumeParameters
  ) throws(CallError) -> VolumeContent {
    let standard = parameters.fileSystem ?? .galleonfs
    let contents = Set(uses.map { $0.content(default: standard) })
    guard let content = contents.first, contents.count == 1 else {
      throw .invalid(
        "volume_capabilities contradict each other: a volume is either mounted as galleonfs or "
          + "used as a device (block, ext4, xfs)")
    }
    return content
  }
}
