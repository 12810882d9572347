import Glibc
import LinuxHost
package import NodeRuntime
package import StorageModel

/// The node runtime, as the Node service sees it.
///
/// A staged volume and its publications are mounts of one volume, which the runtime keeps on one
/// file system. A staged device is a file in the staging directory.
package struct RuntimeNodeHost: NodeHost {
  /// Name of a staged device in its staging directory.
  static let deviceName = "galleonfs-device"

  package let place: NodePlace
  private let node: any NodeServices

  package init(place: NodePlace, node: any NodeServices) {
    self.place = place
    self.node = node
  }

  package func isReady() async throws(CallError) -> Bool {
    let pool: PoolStatus
    do {
      pool = try await node.poolStatus()
    } catch {
      // Starting and stopping are no faults.
      if case .unavailable = error { return false }
      throw .node(error)
    }
    if let reason = pool.readOnlyReason {
      throw .precondition("pool \(pool.path) refuses writes: \(reason)")
    }
    return true
  }

  package func volume(_ id: VolumeID) async throws(CallError) -> HostedVolume {
    let status = try await asking { () async throws(NodeError) in try await node.status(of: id) }
    return HostedVolume(
      specification: status.specification, usedBytes: status.usedBytes,
      inodes: status.fileSystem.map { .init(total: $0.totalInodes, free: $0.freeInodes) },
      troubles: status.troubles)
  }

  package func mounts() async throws(CallError) -> [HostedMount] {
    await node.mounts().map { record in
      let suffix = "/" + Self.deviceName
      let isStagedDevice =
        record.kind == MountOrder.Kind.block.rawValue && record.path.hasSuffix(suffix)
      return HostedMount(
        volume: record.volume,
        path: isStagedDevice ? String(record.path.dropLast(suffix.count)) : record.path,
        kind: record.kind, isReadOnly: record.isReadOnly)
    }
  }

  package func resolved(_ path: String) async -> String {
    // Nothing is mounted below a parent that does not exist, whatever the path is called.
    (try? HostFiles.canonical(path)) ?? path
  }

  package func stage(
    _ id: VolumeID, at path: String, _ order: MountOrder
  ) async throws(CallError) {
    let place = order.kind == .block ? "\(path)/\(Self.deviceName)" : path
    try await mount(id, at: place, order)
  }

  package func unstage(_ id: VolumeID, at path: String) async throws(CallError) {
    let device = "\(path)/\(Self.deviceName)"
    let isDevice = await node.mounts().contains { $0.path == device }
    try await asking { () async throws(NodeError) in
      try await node.unmount(path: isDevice ? device : path)
    }
    if isDevice { try Self.remove(device) }
  }

  package func publish(
    _ id: VolumeID, from staging: String, at target: String, _ order: MountOrder
  ) async throws(CallError) {
    try await mount(id, at: target, order)
  }

  package func unpublish(at target: String) async throws(CallError) {
    try await asking { () async throws(NodeError) in try await node.unmount(path: target) }
    try Self.remove(target)
  }

  package func expand(_ id: VolumeID, toBytes bytes: UInt64) async throws(CallError) -> UInt64 {
    try await asking { () async throws(NodeError) in
      try await node.expandReplica(id, toBytes: bytes)
      return try await node.status(of: id).specification.capacityBytes
    }
  }

  private func mount(
    _ id: VolumeID, at path: String, _ order: MountOrder
  ) async throws(CallError) {
    let presentation: MountRequest.Presentation =
      switch order.kind {
      case .galleonfs: .galleonfs
      case .ext4, .xfs: .formatted(fileSystem: order.kind.rawValue)
      case .block: .device
      }
    let request = MountRequest(
      path: path, presentation: presentation, isReadOnly: order.isReadOnly,
      options: order.options, groupID: order.groupID)
    _ = try await asking { () async throws(NodeError) in try await node.mount(id, request) }
  }

  private func asking<Answer>(
    _ question: () async throws(NodeError) -> Answer
  ) async throws(CallError) -> Answer {
    do {
      return try await question()
    } catch {
      throw .node(error)
    }
  }

  /// Removes what a publication left: an empty directory or an empty file, never anything else.
  private static func remove(_ path: String) throws(CallError) {
    var about = stat()
    guard lstat(path, &about) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return }
      throw failure("look at", path)
    }
    switch about.st_mode & S_IFMT {
    case S_IFDIR:
      if rmdir(path) != 0, errno != ENOENT { throw failure("remove directory", path) }
    case S_IFREG where about.st_size == 0:
      if unlink(path) != 0, errno != ENOENT { throw failure("remove file", path) }
    default:
      throw .precondition("\(path) is neither an empty file nor a directory: it is not ours")
    }
  }

  private static func failure(_ action: String, _ path: String) -> CallError {
    let number = errno
    let reason = strerror(number).map { String(cString: $0) } ?? "errno \(number)"
    return .precondition("cannot \(action) \(path): \(reason)")
  }
}
