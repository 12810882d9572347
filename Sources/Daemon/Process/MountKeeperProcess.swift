internal import Glibc
internal import LinuxHost
internal import Logging
internal import StorageModel

/// The mount keeper beside the daemon: a program of its own that outlives it.
struct MountKeeperProcess: Sendable {
  let socketPath: String
  private let client: MountKeeperClient
  private let logger = Logger(label: "galleonfs.keeper")

  init(storagePath: String) {
    socketPath = storagePath + "/keeper.sock"
    client = MountKeeperClient(socketPath: socketPath)
  }

  /// True if a keeper serves: one that runs already, or a new one. Without its program beside
  /// ours, mounts end with the daemon.
  func start() -> Bool {
    if client.isServing { return true }
    guard let program, access(program, X_OK) == 0 else {
      logger.notice("no mount keeper beside the daemon: mounts end with it")
      return false
    }
    do throws(IOFailure) {
      // No death signal: it is there for when we are gone.
      _ = try BoundChild.spawn(
        program, ["--socket", socketPath], environment: [:], log: STDERR_FILENO, deathSignal: 0)
    } catch {
      logger.error("cannot start the mount keeper", metadata: ["error": "\(error)"])
      return false
    }
    for _ in 0..<200 {
      if client.isServing { return true }
      poll(nil, 0, 10)
    }
    logger.error("the mount keeper does not answer", metadata: ["socket": "\(socketPath)"])
    return false
  }

  /// Ends it, unless it still keeps mounts.
  func stop() {
    do throws(HostError) {
      try client.stop()
    } catch {
      logger.debug("the mount keeper stays", metadata: ["reason": "\(error)"])
    }
  }

  private var program: String? {
    guard let path = SelfReplacement.programPath, let slash = path.lastIndex(of: "/") else {
      return nil
    }
    return path[...slash] + "galleonfs-mountkeeper"
  }
}
