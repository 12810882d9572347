package import StorageModel

/// Why a node could not do what it was asked; `ControlAPI` and `CSIDriver` map it to their codes.
package enum NodeError: Error, Hashable, Sendable {
  /// No replica of this volume on this node.
  case volumeNotFound(VolumeID)
  /// A replica of this volume exists and differs in what is named.
  case volumeExists(VolumeID, difference: String)
  /// The volume is mounted or attached at these paths.
  case volumeInUse(VolumeID, paths: [String])
  /// A volume that needs more space than the pool can ever give.
  case poolTooSmall(neededBytes: UInt64, availableBytes: UInt64)
  /// A volume cannot become smaller.
  case cannotShrink(currentBytes: UInt64, requestedBytes: UInt64)
  /// An argument breaks a rule that the text states.
  case invalid(String)
  /// Nothing of ours is mounted there.
  case notMounted(path: String)
  /// Something else occupies the path.
  case pathOccupied(path: String, by: String)
  case store(StoreError)
  /// A mount, loop device or file system tool failed; the text says what, where and why.
  case host(String)
  /// The node is starting or stopping.
  case unavailable(String)
}

extension NodeError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .volumeNotFound(let id): "no volume \(id) on this node"
    case .volumeExists(let id, let difference): "volume \(id) exists already: \(difference)"
    case .volumeInUse(let id, let paths):
      "volume \(id) is in use at \(paths.joined(separator: ", ")); unmount it first"
    case .poolTooSmall(let needed, let available):
      "the pool cannot hold \(needed) bytes: it has \(available) bytes in all"
    case .cannotShrink(let current, let requested):
      "a volume of \(current) bytes cannot shrink to \(requested) bytes"
    case .invalid(let text), .host(let text), .unavailable(let text): text
    case .notMounted(let path): "no volume is mounted at \(path)"
    case .pathOccupied(let path, let by): "\(path) is occupied by \(by)"
    case .store(let error): "storage: \(error)"
    }
  }
}
