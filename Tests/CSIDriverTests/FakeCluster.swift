import CSIDriver
import ClusterControl
import DaemonConfiguration
import StorageModel
import Synchronization

/// A cluster in memory: two nodes, room for 1 TiB.
final class FakeCluster: VolumeControl, NodeHost, Sendable {
  struct State {
    var volumes: [VolumeID: ControlledVolume] = [:]
    var mounts: [HostedMount] = []
    var orders: [MountOrder] = []
    var generator = SystemRandomNumberGenerator()
    var trouble: CallError?
    var isReady = true
  }

  static let roomBytes: UInt64 = 1 << 40

  let state = Mutex(State())
  let place = NodePlace(name: "node-1", zone: "zone-a")
  /// Opened for work to go on; a call that changes something waits here.
  let gate = Gate()

  func isReady() async throws(CallError) -> Bool {
    let (trouble, isReady) = state.withLock { ($0.trouble, $0.isReady) }
    if let trouble { throw trouble }
    return isReady
  }

  func nodes() async throws(CallError) -> [NodePlace] {
    [place, NodePlace(name: "node-2", zone: "zone-b")]
  }

  func create(_ order: VolumeOrder) async throws(CallError) -> ControlledVolume {
    await gate.pass()
    if order.capacityBytes > Self.roomBytes {
      throw .outOfRange("\(order.capacityBytes) bytes are beyond the pool")
    }
    let parameters: VolumeParameters
    do { parameters = try VolumeParameters(parsing: order.parameters) } catch {
      throw .refused(error)
    }
    let existing = state.withLock { state in
      state.volumes.values.first { $0.specification.name == order.name }
    }
    if let existing {
      if (existing.specification.encryption != .none) != (parameters.encrypts ?? false) {
        throw .alreadyExists("\(order.name) exists with another encryption")
      }
      return existing
    }
    return state.withLock { state in
      let specification = VolumeSpecification(
        id: VolumeID(UUIDValue(randomFrom: &state.generator)), name: order.name,
        capacityBytes: order.capacityBytes, blockSize: parameters.blockSize ?? .standard,
        type: order.type, content: order.content,
        encryption: parameters.encrypts == true ? .aes256GCM : .none,
        replicaCount: parameters.replicaCount ?? 1, storageClassName: "",
        strategy: parameters.strategy ?? .synchronous,
        writeConcern: parameters.writeConcern ?? .replicated)
      let volume = ControlledVolume(
        specification: specification, fileSystem: order.fileSystem, publications: [],
        places: order.nodes, troubles: specification.replicaCount > 2 ? ["degraded"] : [])
      state.volumes[specification.id] = volume
      return volume
    }
  }

  func delete(_ id: VolumeID) async throws(CallError) {
    await gate.pass()
    state.withLock { $0.volumes[id] = nil }
  }

  func expand(_ id: VolumeID, toBytes: UInt64) async throws(CallError) -> ControlledVolume {
    if toBytes > Self.roomBytes { throw .outOfRange("\(toBytes) bytes are beyond the pool") }
    let grown = state.withLock { state in
      state.volumes[id]?.specification.capacityBytes = toBytes
      return state.volumes[id]
    }
    guard let grown else { throw .notFound("no volume \(id)") }
    return grown
  }

  func volume(_ id: VolumeID) async throws(CallError) -> ControlledVolume? {
    state.withLock { $0.volumes[id] }
  }

  func volume(named name: String) async throws(CallError) -> ControlledVolume? {
    state.withLock { state in state.volumes.values.first { $0.specification.name == name } }
  }

  func volumes() async throws(CallError) -> [ControlledVolume] {
    state.withLock { Array($0.volumes.values) }
  }

  func setPublications(_ id: VolumeID, _ publications: [Publication]) async throws(CallError) {
    state.withLock { $0.volumes[id]?.publications = publications }
  }

  func capacity(
    _ parameters: [String: String], _ nodes: [NodePlace]
  ) async throws(CallError) -> CapacityReport {
    CapacityReport(availableBytes: Self.roomBytes, largestVolumeBytes: Self.roomBytes)
  }

  func volume(_ id: VolumeID) async throws(CallError) -> HostedVolume {
    guard let volume = state.withLock({ $0.volumes[id] }) else {
      throw .notFound("no volume \(id) on this node")
    }
    return HostedVolume(
      specification: volume.specification, usedBytes: 4_096,
      inodes: volume.specification.content == .block ? nil : .init(total: 100, free: 99),
      troubles: volume.troubles)
  }

  func mounts() async throws(CallError) -> [HostedMount] { state.withLock { $0.mounts } }

  func resolved(_ path: String) async -> String { path }

  func stage(_ id: VolumeID, at path: String, _ order: MountOrder) async throws(CallError) {
    await gate.pass()
    add(id, path, order)
  }

  func unstage(_ id: VolumeID, at path: String) async throws(CallError) { remove(path) }

  func publish(
    _ id: VolumeID, from staging: String, at target: String, _ order: MountOrder
  ) async throws(CallError) { add(id, target, order) }

  func unpublish(at target: String) async throws(CallError) { remove(target) }

  func expand(_ id: VolumeID, toBytes bytes: UInt64) async throws(CallError) -> UInt64 {
    state.withLock { state in
      state.volumes[id]?.specification.capacityBytes = bytes
      return bytes
    }
  }

  private func add(_ id: VolumeID, _ path: String, _ order: MountOrder) {
    state.withLock { state in
      state.orders.append(order)
      if state.mounts.contains(where: { $0.path == path }) { return }
      state.mounts.append(
        HostedMount(
          volume: id, path: path, kind: order.kind.rawValue, isReadOnly: order.isReadOnly))
    }
  }

  private func remove(_ path: String) {
    state.withLock { state in state.mounts.removeAll { $0.path == path } }
  }
}

/// Lets through until it is closed; then whoever comes waits until it is opened.
final class Gate: Sendable {
  private struct State {
    var isOpen = true
    var waiting: [CheckedContinuation<Void, Never>] = []
    var watchers: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func close() { state.withLock { $0.isOpen = false } }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func pass() async {
    await withCheckedContinuation { continuation in
      let (isOpen, watchers) = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        defer { state.watchers = [] }
        return (state.isOpen, state.watchers)
      }
      for watcher in watchers { watcher.resume() }
      if isOpen { continuation.resume() }
    }
  }

  /// Returns when someone waits at the closed gate.
  func someoneWaits() async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.waiting.isEmpty { state.watchers.append(continuation) }
        return !state.waiting.isEmpty
      }
      if isThere { continuation.resume() }
    }
  }
}
