internal import ControlAPI
internal import DaemonConfiguration
internal import Glibc
internal import Logging
internal import StorageModel
internal import Synchronization

/// The running daemon as its services see it: phase, facts, settings, and how to end it.
final class DaemonProcess: DaemonControl {
  /// Why the daemon shall end.
  struct Ending: Hashable, Sendable {
    var restarts: Bool
    /// Without waiting for running calls.
    var force: Bool
  }

  private struct State {
    var phase = DaemonPhase.starting
    var facts: DaemonFacts
    var configuration: DaemonConfiguration
    /// By the part that has it; each part says its own.
    var troubles: [String: String] = [:]
    var leavesMounts = false
  }

  private let state: Mutex<State>
  private let endings: AsyncStream<Ending>.Continuation
  /// What was asked for, in order; the first one counts.
  let endingRequests: AsyncStream<Ending>

  init(facts: DaemonFacts, configuration: DaemonConfiguration) {
    state = Mutex(State(facts: facts, configuration: configuration))
    (endingRequests, endings) = AsyncStream<Ending>.makeStream()
  }

  var facts: DaemonFacts { state.withLock { $0.facts } }
  var configuration: DaemonConfiguration { state.withLock { $0.configuration } }
  var phase: DaemonPhase { state.withLock { $0.phase } }

  var troubles: [String] {
    state.withLock { $0.troubles.sorted { $0.key < $1.key }.map(\.value) }
  }

  var residentBytes: UInt64 { ProcessFigures.residentBytes }

  func requestStop(force: Bool) { endings.yield(Ending(restarts: false, force: force)) }

  func requestRestart(force: Bool) { endings.yield(Ending(restarts: true, force: force)) }

  /// Whether mounts shall wait for the next daemon (if a keeper holds them).
  var leavesMounts: Bool { state.withLock { $0.leavesMounts } }

  func leaveMounts() { state.withLock { $0.leavesMounts = true } }

  func enter(_ phase: DaemonPhase) { state.withLock { $0.phase = phase } }

  func update(_ change: (inout DaemonFacts) -> Void) { state.withLock { change(&$0.facts) } }

  func replace(_ configuration: DaemonConfiguration) {
    state.withLock { $0.configuration = configuration }
  }

  /// nil clears what the part said before.
  func note(_ trouble: String?, of part: String) {
    state.withLock { $0.troubles[part] = trouble }
  }
}

/// What the kernel tells of this process.
enum ProcessFigures {
  /// Bytes of memory in use, from /proc/self/statm.
  static var residentBytes: UInt64 {
    guard let text = try? TextFile.read("/proc/self/statm") else { return 0 }  // no /proc
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = UInt64(fields[1]) else { return 0 }
    return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// Processor time that all threads used.
  static var processorSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  static var openDescriptorCount: Int {
    guard let directory = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return max(0, count - 3)  // `.`, `..` and the directory itself
  }

  static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }
}
