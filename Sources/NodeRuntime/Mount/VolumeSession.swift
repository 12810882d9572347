import FUSEServer
import LinuxHost
import StorageModel

/// A volume's one FUSE mount on this node, in a private place; users' mounts are binds of it.
///
/// With a mount keeper its device outlives the daemon: the next one adopts it, asks the kernel to
/// send again what was in flight, and applications only waited.
final class VolumeSession: Sendable {
  let path: String
  private let fuse: FUSESession
  private let keeper: MountKeeperClient?
  private let name: String

  /// The threads that read a volume's requests. Two suffice on small machines; a thread that
  /// syncs must not keep the others waiting.
  private static let readerThreadCount = 4

  /// Mounts the volume at `path`, or goes on with the mount that the keeper holds.
  init(
    volume: VolumeHost, path: String, keeper: MountKeeperClient?, isSynchronous: Bool
  ) throws(NodeError) {
    self.path = path
    self.keeper = keeper
    name = volume.id.description
    if let adopted = try Self.adopt(volume, path, keeper) {
      fuse = adopted
      return
    }
    volume.mountEnded()
    do throws(HostError) {
      try Mounts.detachDead(path)
      try HostFiles.makeDirectory(path, permissions: 0o700)
    } catch {
      throw .host("\(error)")
    }
    let session = UInt64.random(in: 1 ... .max)
    let handler = Self.handler(
      volume, session: keeper == nil ? nil : session, isSynchronous: isSynchronous)
    do throws(FUSEError) {
      let isDevice = volume.specification.content == .block
      fuse = try FUSESession(
        mountingAt: path, handler: handler,
        configuration: Self.configuration(
          of: volume.id, regime: isDevice || isSynchronous ? .shared : .exclusive))
      try fuse.start()
    } catch {
      throw .host("\(error)")
    }
    try keep(session: session)
    if isSynchronous { try makeSynchronous(volume) }
  }

  /// Makes every change of the volume durable before it is answered, through whatever mount. The
  /// kernel remembers it with the mount, so the next daemon finds it.
  func makeSynchronous(_ volume: VolumeHost) throws(NodeError) {
    do throws(HostError) {
      try Mounts.makeSynchronous(path)
    } catch {
      throw .host("\(error)")
    }
    volume.syncsEveryChange = true
  }

  private static func configuration(
    of id: VolumeID, regime: CachingRegime
  ) -> SessionConfiguration {
    SessionConfiguration(
      regime: regime, sourceName: sourceName(of: id), readerThreadCount: readerThreadCount,
      label: String(id.description.prefix(8)), opensAreStateless: true)
  }

  /// What mount tables show as the source of a volume's mounts.
  static func sourceName(of id: VolumeID) -> String { "galleonfs:\(id)" }

  private static func handler(
    _ volume: VolumeHost, session: UInt64?, isSynchronous: Bool
  ) -> any FileSystemHandler {
    volume.syncsEveryChange = isSynchronous
    switch volume.specification.content {
    case .fileSystem: return FileSystemBridge(volume: volume, session: session)
    case .block: return DeviceBridge(volume: volume)
    }
  }

  private func keep(session: UInt64) throws(NodeError) {
    guard let keeper else { return }
    let metadata =
      withUnsafeBytes(of: session.littleEndian) { Array($0) } + fuse.negotiated.bytes
    do throws(HostError) {
      try keeper.store(name, descriptor: fuse.deviceDescriptor, metadata: metadata)
    } catch {
      throw .host("\(error)")
    }
  }

  private static func adopt(
    _ volume: VolumeHost, _ path: String, _ keeper: MountKeeperClient?
  ) throws(NodeError) -> FUSESession? {
    guard let keeper else { return nil }
    do {
      guard let mount = try MountTable.current().top(at: path),
        let device = try keeper.fetch(volume.id.description), device.metadata.count > 8,
        let negotiated = NegotiatedSession(bytes: Array(device.metadata[8...]))
      else { return nil }
      let session = device.metadata.withUnsafeBytes {
        UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
      }
      let fuse = try FUSESession(
        adopting: device.descriptor, negotiated: negotiated,
        handler: handler(volume, session: session, isSynchronous: mount.isSynchronous),
        configuration: configuration(of: volume.id, regime: negotiated.regime))
      try fuse.start()
      fuse.resendPending()
      return fuse
    } catch {
      throw .host("cannot go on with the mount of volume \(volume.id): \(error)")
    }
  }

  /// Makes the kernel ask again for what it knows of an inode.
  func invalidateAttributes(of inode: InodeNumber) { _ = fuse.invalidateAttributes(of: inode) }

  /// Requests served, by kind.
  var requestTotals: [String: UInt64] { fuse.requestTotals }

  /// Unmounts: the kernel first writes back what it caches. `.host` while files are open.
  func end(lazily: Bool) throws(NodeError) {
    do {
      try Mounts.unmount(path, lazily: lazily)
      fuse.close()
      try keeper?.drop(name)
      try HostFiles.removeDirectory(path)
    } catch {
      throw .host("\(error)")
    }
  }

  /// Stops serving and leaves the mount to the next daemon; without a keeper it dies.
  func handOver() { fuse.close() }
}
