import DaemonConfiguration
import NodeRuntime
import StorageModel

/// Mounting volumes. Needs root, and `/dev/fuse`.
extension GalleonFS {
  /// Mounts a volume at a path, which is made if it does not exist. Mounting again in the same
  /// way changes nothing; a volume may be mounted at several paths.
  ///
  /// A block volume appears as a directory with the file `data`.
  ///
  /// - Parameter options: as `mount -o` takes them: `ro`, `sync`, `encrypted`, `noatime`, …
  @discardableResult
  public func mount(
    _ id: Volume.ID, at path: String, options: [String] = []
  ) async throws(GalleonFSError) -> VolumeMount {
    let volume = try Self.parse(id)
    let specification = try await call { (node) throws(NodeError) in
      try node.volume(volume).specification
    }
    let request = try Self.request(
      path, options + classes.mountOptions(ofClass: specification.storageClassName))
    return VolumeMount(
      try await call { (node) throws(NodeError) in try await node.mount(volume, request) })
  }

  /// Undoes a mount; nothing mounted there is no error. `.system` while files are open in it.
  public func unmount(_ path: String) async throws(GalleonFSError) {
    try await call { (node) throws(NodeError) in try await node.unmount(path: path) }
  }

  /// Where volumes are mounted.
  public func listMounts() async throws(GalleonFSError) -> [VolumeMount] {
    try await call { (node) throws(NodeError) in
      await node.mounts().map { VolumeMount($0) }.sorted { $0.path < $1.path }
    }
  }

  private static func request(
    _ path: String, _ options: [String]
  ) throws(GalleonFSError) -> MountRequest {
    guard path.hasPrefix("/") else {
      throw .invalid("a mount path is absolute, \"\(path)\" is not")
    }
    do throws(Refusal) {
      let parsed = try MountOptions(parsing: options)
      return MountRequest(
        path: path, isReadOnly: parsed.isReadOnly,
        options: (parsed.isSynchronous ? ["sync"] : [])
          + (parsed.demandsEncryption ? ["encrypted"] : []) + parsed.kernelOptions)
    } catch {
      throw GalleonFSError(error)
    }
  }
}
