internal import ControlAPI
package import DaemonConfiguration
internal import Glibc
internal import LinuxHost
internal import Logging
internal import StorageModel

/// The daemon as a program: reads its settings, starts its parts in order, waits for its end.
package struct Daemon {
  private let sources: ConfigurationSources
  /// Of this program, for `daemon restart`.
  private let arguments: [String]

  /// How long running calls may take to finish when the daemon ends.
  private static let grace = Duration.seconds(20)

  package init(sources: ConfigurationSources, arguments: [String]) {
    self.sources = sources
    self.arguments = arguments
  }

  /// Runs until a signal or a call ends it; gives the exit code. Throws `Refusal` when it cannot
  /// start; whatever was started until then has been ended.
  package func run() async throws(Refusal) -> Int32 {
    let configuration = try Self.located(try sources.load())
    let log = DaemonLog(configuration.logLevel)
    log.install()
    let logger = Logger(label: "galleonfs.daemon")
    for remark in configuration.remarks { logger.notice("note", metadata: ["text": "\(remark)"]) }
    // The C core would write lines of its own beside ours; what fails comes back as errors.
    setenv("GRPC_VERBOSITY", "NONE", 0)
    let signals: AsyncStream<Int32>
    do throws(IOFailure) {
      signal(SIGPIPE, SIG_IGN)
      signals = try ProcessSignals.events(of: [SIGTERM, SIGINT, SIGHUP])
    } catch {
      throw Refusal(.internal, "\(error)")
    }
    var teardown = Teardown()
    let process: DaemonProcess
    do throws(Refusal) {
      var startup = Startup(configuration: configuration, configurationPath: sources.path ?? "")
      defer { teardown = startup.teardown }
      process = try await startup.run()
    } catch {
      await teardown.run(grace: .zero)
      throw error
    }
    logger.notice(
      "ready",
      metadata: ["ipc": "\(process.facts.ipcAddress)", "version": "\(ProgramVersion.current)"])
    let ending = await wait(process, signals: signals, log: log)
    process.enter(.stopping)
    logger.notice("stopping", metadata: ["restarts": "\(ending.restarts)"])
    if ending.restarts { process.leaveMounts() }
    await teardown.run(grace: ending.force ? .zero : Self.grace)
    logger.notice("stopped")
    guard ending.restarts else { return 0 }
    throw Refusal(.internal, "cannot restart: \(SelfReplacement.run(arguments))")
  }

  /// The first request to end; SIGHUP is served on the way.
  private func wait(
    _ process: DaemonProcess, signals: AsyncStream<Int32>, log: DaemonLog
  ) async -> DaemonProcess.Ending {
    let watcher = Task {
      for await number in signals {
        if number == SIGHUP {
          reload(process, log)
        } else {
          process.requestStop(force: false)
        }
      }
    }
    defer { watcher.cancel() }
    for await ending in process.endingRequests { return ending }
    return DaemonProcess.Ending(restarts: false, force: false)
  }

  /// Takes over what can change; what cannot, and what is wrong, is said in the log.
  private func reload(_ process: DaemonProcess, _ log: DaemonLog) {
    let logger = Logger(label: "galleonfs.daemon")
    do throws(Refusal) {
      let fresh = try Self.located(try sources.load())
      var current = process.configuration
      let changed = Setting.allCases.filter { fresh.values[$0]?.text != current.values[$0]?.text }
      log.setLevel(fresh.logLevel)
      current.logLevel = fresh.logLevel
      current.values[.logLevel] = fresh.values[.logLevel]
      process.replace(current)
      let waiting = changed.filter { !$0.isReloadable }.map(\.rawValue)
      logger.notice(
        "settings read again",
        metadata: [
          "changed": "\(changed.filter(\.isReloadable).map(\.rawValue))",
          "needs_restart": "\(waiting)",
        ])
    } catch {
      logger.error("settings stay as they were", metadata: ["error": "\(error.message)"])
    }
  }

  /// Paths become absolute: the daemon shows them to clients elsewhere.
  private static func located(_ configuration: DaemonConfiguration) throws(Refusal)
    -> DaemonConfiguration
  {
    var configuration = configuration
    configuration.storagePath = StorageDirectory.absolute(configuration.storagePath)
    configuration.mountPoint = configuration.mountPoint.map { StorageDirectory.absolute($0) }
    return configuration
  }
}
