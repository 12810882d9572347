import DaemonConfiguration
public import Logging
import NodeRuntime
import StorageModel
import Synchronization

/// A storage path with its volumes, opened in this process: the engine without a daemon.
///
/// One process has a storage path open at a time. All calls may be made from any task at once;
/// what blocks runs on threads of its own. Close it when done: whoever is cut off before, by a
/// crash too, loses nothing that was acknowledged, only the next opening has more to replay.
///
/// ```swift
/// let storage = try await GalleonFS(configuration: .init(storagePath: "/var/lib/app/storage"))
/// let volume = try await storage.createVolume(
///   type: .persistent, sizeBytes: 1 << 30, storageClass: "fast-local-ssd")
/// try await storage.writeBlock(volume.id, 0, Array("Hello, GalleonFS!".utf8), concern: .durable)
/// let block = try await storage.readBlock(volume.id, 0)
/// await storage.close()
/// ```
public final class GalleonFS: Sendable {
  /// How a storage path is opened.
  public struct Configuration: Sendable {
    /// A directory, made if it does not exist.
    public var storagePath: String
    /// Bytes that the write-ahead log may take on disk: 16 MiB to 64 GiB.
    public var journalByteCount: Int
    /// The longest time between two checkpoints while something is written.
    public var checkpointInterval: Duration
    /// Paths of storage class files, JSON or YAML, beside the built-in classes.
    public var storageClassFiles: [String]
    /// Gets what nobody waits for: recovery, checkpoints that fail, blocks that rotted.
    public var logger: Logger

    /// All but the path is optional.
    public init(
      storagePath: String, journalByteCount: Int = 256 << 20,
      checkpointInterval: Duration = .seconds(300), storageClassFiles: [String] = [],
      logger: Logger = Logger(label: "galleonfs")
    ) {
      self.storagePath = storagePath
      self.journalByteCount = journalByteCount
      self.checkpointInterval = checkpointInterval
      self.storageClassFiles = storageClassFiles
      self.logger = logger
    }
  }

  let node: Node
  let classes: StorageClasses
  let logger: Logger
  let calls = OpenCalls()
  let samples = MetricSamples()
  /// Names of volumes that are being made.
  let names = Mutex<Set<String>>([])

  /// Opens a storage path and recovers its volumes. Mounts that a process left behind when it
  /// died are mounted again.
  public init(configuration: Configuration) async throws(GalleonFSError) {
    classes = try StorageClasses(configuration)
    logger = configuration.logger
    let nodeConfiguration = NodeConfiguration(
      storagePath: configuration.storagePath,
      pool: PoolConfiguration(
        journalByteCount: configuration.journalByteCount,
        checkpointInterval: configuration.checkpointInterval))
    do throws(NodeError) {
      let logger = configuration.logger
      node = try await BlockingThreads(maximumThreadCount: 1).run { () throws(NodeError) in
        try Node(nodeConfiguration, logger: logger)
      }
    } catch {
      throw .unavailable("cannot open \(configuration.storagePath): \(error)")
    }
  }

  /// Waits for the calls that are under way, unmounts everything, and closes the storage path.
  /// Every later call throws `.closed`; closing again does nothing.
  public func close() async {
    guard await calls.close() else { return }
    await node.shutdown(leavingMounts: false)
  }

  /// Makes a call of the node: refused when closed, with its errors as ours.
  func call<Result: Sendable>(
    _ body: (Node) async throws(NodeError) -> Result
  ) async throws(GalleonFSError) -> Result {
    try calls.begin()
    defer { calls.end() }
    do throws(NodeError) {
      return try await body(node)
    } catch {
      throw GalleonFSError(error)
    }
  }
}
