internal import ClusterControl
internal import DaemonConfiguration
internal import NodeRuntime
internal import StorageModel

/// Mounting and unmounting by what users say: names, identifiers, paths, options.
struct Mounting: Sendable {
  let context: ControlContext

  /// Throws `Refusal`: invalid for path and options, precondition if the volume is not encrypted
  /// and the options insist on it, alreadyExists if the path is occupied.
  func mount(
    _ nameOrID: String, at path: String, options: [String], isReadOnly: Bool
  ) async throws(Refusal) -> (entry: VolumeEntry, mount: MountRecord) {
    let path = try AbsolutePath.normalized(path, what: "mount point")
    let entry = try await context.controller.find(nameOrID)
    let asked = try MountOptions(parsing: options)
    let merged = try MountOptions(parsing: entry.mountOptions + options.filter { $0 != "rw" })
    if asked.demandsEncryption, entry.specification.encryption == .none {
      throw .precondition(
        "volume \(entry.name) is not encrypted, but the mount options demand it (encrypted)")
    }
    if isReadOnly, options.contains("rw") {
      throw .invalid("the mount is asked to be read-only and rw at once")
    }
    let request = MountRequest(
      path: path, isReadOnly: isReadOnly || merged.isReadOnly,
      options: merged.kernelOptions + (merged.isSynchronous ? ["sync"] : []))
    let record = try await refusing { () async throws(NodeError) in
      try await context.node.mount(entry.id, request)
    }
    return (entry, record)
  }

  /// Unmounts one path, or all mounts of a volume on this node; gives the paths. `.notFound` if
  /// the volume does not exist or nothing of ours is mounted at the path; precondition if files
  /// are open there, unless `force` detaches it all the same.
  func unmount(_ volumeOrPath: String, force: Bool) async throws(Refusal) -> [String] {
    let paths = try await mounts(of: volumeOrPath).map(\.path)
    if paths.isEmpty { throw .notFound("volume \(volumeOrPath) is mounted nowhere on this node") }
    for path in paths { try await unmount(path: path, force: force) }
    return paths
  }

  func unmount(path: String, force: Bool) async throws(Refusal) {
    do throws(NodeError) {
      try await context.node.unmount(path: path, lazily: force)
    } catch {
      throw Refusal(unmounting: error)
    }
  }

  /// The mounts of a volume, or the one at a path; all for an empty text. Sorted by path.
  func mounts(of volumeOrPath: String) async throws(Refusal) -> [MountRecord] {
    let all = await context.node.mounts().sorted { $0.path < $1.path }
    if volumeOrPath.isEmpty { return all }
    if volumeOrPath.contains("/") {
      let path = try AbsolutePath.normalized(volumeOrPath, what: "mount point")
      let found = all.filter { $0.path == path }
      if found.isEmpty { throw .notFound("no volume is mounted at \(path); see vfs list") }
      return found
    }
    let entry = try await context.controller.find(volumeOrPath)
    return all.filter { $0.volume == entry.id }
  }
}
