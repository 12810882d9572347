internal import DaemonConfiguration
internal import Glibc
internal import Logging
internal import Synchronization

/// The daemon's log on standard error, one line a message; its level changes while it runs.
final class DaemonLog: Sendable {
  private let level: Mutex<Logger.Level>

  init(_ level: DaemonConfiguration.LogLevel) {
    self.level = Mutex(Self.level(level))
  }

  /// Makes this log the one that all loggers of the process write to. Once a process.
  func install() {
    LoggingSystem.bootstrap { label in LineLogHandler(label: label, log: self) }
  }

  func setLevel(_ level: DaemonConfiguration.LogLevel) {
    self.level.withLock { $0 = Self.level(level) }
  }

  fileprivate var current: Logger.Level { level.withLock { $0 } }

  private static func level(_ level: DaemonConfiguration.LogLevel) -> Logger.Level {
    switch level {
    case .trace: .trace
    case .debug: .debug
    case .info: .info
    case .notice: .notice
    case .warning: .warning
    case .error: .error
    case .critical: .critical
    }
  }
}

/// `2024-01-15T10:30:15.042Z info galleonfs.controller: volume created name=data`
private struct LineLogHandler: LogHandler {
  let label: String
  let log: DaemonLog
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  var logLevel: Logger.Level {
    get { log.current }
    set { _ = newValue }  // one level for the whole daemon
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line = "\(Self.now()) \(event.level) \(label): \(event.message)"
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) {
      line += " \(key)=\(Self.shown("\(value)"))"
    }
    let bytes = Array((line + "\n").utf8)
    // One write a line, so that lines of several threads do not mix.
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  private static func shown(_ value: String) -> String {
    let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 < 0x7F }
    if isPlain { return value }
    let inner = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("\n", with: "\\n")
    return "\"\(inner)\""
  }

  private static func now() -> String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var parts = tm()
    gmtime_r(&time.tv_sec, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let text = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let milliseconds = "\(1000 + time.tv_nsec / 1_000_000)".dropFirst()
    return "\(text).\(milliseconds)Z"
  }
}
