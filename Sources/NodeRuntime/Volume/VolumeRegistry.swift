import StorageModel
import Synchronization

/// The volumes of a node, and the single file in which each is made and deleted.
final class VolumeRegistry: Sendable {
  private let hosts = Mutex<[VolumeID: VolumeHost]>([:])
  private let busy = BusyVolumes()

  subscript(_ id: VolumeID) -> VolumeHost? { hosts.withLock { $0[id] } }

  var all: [VolumeHost] { hosts.withLock { Array($0.values) } }

  func add(_ host: VolumeHost) { hosts.withLock { $0[host.id] = host } }

  func remove(_ id: VolumeID) { _ = hosts.withLock { $0.removeValue(forKey: id) } }

  func alone<Result, Failure: Error>(
    with id: VolumeID, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try busy.alone(with: id, body)
  }
}
