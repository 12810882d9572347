import StorageModel

/// Keeps the mount operations of one volume in single file.
final class BusyVolumes: Sendable {
  private let busy = LockedCondition(Set<VolumeID>())

  /// Runs `body` while nobody else is busy with the volume.
  func alone<Result, Failure: Error>(
    with id: VolumeID, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    busy.wait { $0.insert(id).inserted ? () : nil }
    defer {
      _ = busy.withLock { $0.remove(id) }
      busy.broadcast()
    }
    return try body()
  }
}
