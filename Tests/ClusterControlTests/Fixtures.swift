import DaemonConfiguration
import Foundation
import Glibc
import StorageModel
import Synchronization

@testable import ClusterControl

/// A node whose replicas are entries of a dictionary; it fails when told to.
final class FakeHost: ReplicaHost {
  struct State {
    var replicas: [VolumeID: ReplicaDescription] = [:]
    var mounted: [VolumeID: [String]] = [:]
    var nextFailure: Refusal?
    var gate: CheckedContinuation<Void, Never>?
    var holdsCreations = false
  }

  let state = Mutex(State())

  func createReplica(_ specification: VolumeSpecification) async throws(Refusal) {
    if state.withLock({ $0.holdsCreations }) {
      await withCheckedContinuation { gate in state.withLock { $0.gate = gate } }
    }
    try failIfTold()
    state.withLock {
      $0.replicas[specification.id] = ReplicaDescription(
        specification: specification, epoch: .first, createdAt: .init(seconds: 1, nanoseconds: 0))
    }
  }

  func deleteReplica(_ id: VolumeID) async throws(Refusal) {
    try failIfTold()
    state.withLock { $0.replicas[id] = nil }
  }

  func pathsInUse(of id: VolumeID) async throws(Refusal) -> [String] {
    state.withLock { $0.mounted[id] ?? [] }
  }

  func expandReplica(_ id: VolumeID, toBytes capacityBytes: UInt64) async throws(Refusal) {
    state.withLock { $0.replicas[id]?.specification.capacityBytes = capacityBytes }
  }

  func replicas() async throws(Refusal) -> [ReplicaDescription] {
    state.withLock { Array($0.replicas.values) }
  }

  func poolCapacityBytes() async throws(Refusal) -> UInt64 { 100 << 30 }

  private func failIfTold() throws(Refusal) {
    let failure: Refusal? = state.withLock { state in
      defer { state.nextFailure = nil }
      return state.nextFailure
    }
    if let failure { throw failure }
  }
}

/// A controller over a fake node and a store in memory.
struct Bench {
  let store = MemoryStore()
  let host = FakeHost()
  let controller: VolumeController

  init() throws {
    controller = VolumeController(
      catalog: VolumeCatalog(store), host: host, nodeID: "node-1",
      configuration: try DaemonConfiguration(flags: [:], environment: [:]),
      now: { Timestamp(seconds: 1_700_000_000, nanoseconds: 0) })
  }

  func create(
    _ name: String, size: UInt64 = 1 << 30, class className: String = "fast-local-ssd",
    acceptsExisting: Bool = false
  ) async throws -> VolumeController.Creation {
    try await controller.create(
      VolumeRequest(name: name, sizeBytes: size),
      class: controller.storageClass(className), acceptsExisting: acceptsExisting)
  }
}

/// A directory under /tmp that goes away with the value.
final class TemporaryDirectory {
  let path: String

  init() {
    var template = Array("/tmp/galleon-cluster-XXXXXX".utf8CString)
    path = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? ""
    }
  }

  deinit {
    guard path.hasPrefix("/tmp/galleon-cluster-") else { return }
    try? FileManager.default.removeItem(atPath: path)  // best effort: it is under /tmp
  }
}
