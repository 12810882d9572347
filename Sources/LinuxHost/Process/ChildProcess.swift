internal import Glibc

/// A program that is run to its end.
package struct ChildProcess: Hashable, Sendable {
  package enum Status: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
    /// It was killed because it took too long.
    case timedOut
  }

  package var program: String
  package var status: Status
  /// What it wrote to standard output, cut at `maximumOutputByteCount`.
  package var output: [UInt8]
  /// What it wrote to standard error, cut as well.
  package var errorOutput: [UInt8]

  /// Bytes kept of each output; the rest is read and dropped.
  package static let maximumOutputByteCount = 64 << 10

  package var outputText: String { String(decoding: output, as: UTF8.self) }

  /// What it said, for people: standard error, or else standard output.
  package var message: String {
    let bytes = errorOutput.isEmpty ? output : errorOutput
    let text = String(decoding: bytes.suffix(2000), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).joined(separator: "; ")
  }

  package func error(_ operation: String, path: String) -> HostError {
    let end =
      switch status {
      case .exited(let code): "exit code \(code)"
      case .signalled(let signal): "signal \(signal)"
      case .timedOut: "no end within its time"
      }
    return HostError(
      operation: operation, path: path,
      detail: "\(program): \(end)" + (message.isEmpty ? "" : ": \(message)"))
  }

  /// Runs a program, without a shell, in the C locale, with nothing on standard input, and waits
  /// until it ends or its time is over (then it is killed). Blocks.
  package static func run(
    _ program: String, _ arguments: [String], timeout: Duration = .seconds(60)
  ) throws(HostError) -> ChildProcess {
    let path = try locate(program)
    let output = try Pipe()
    let errorOutput = try Pipe()
    let process = try spawn(path, arguments, output.writeEnd, errorOutput.writeEnd)
    output.closeWriteEnd()
    errorOutput.closeWriteEnd()
    var collector = OutputCollector(output.readEnd, errorOutput.readEnd)
    let isInTime = collector.collect(until: ContinuousClock.now + timeout)
    if !isInTime { kill(process, SIGKILL) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7f
    return ChildProcess(
      program: program,
      status: !isInTime
        ? .timedOut : signal != 0 ? .signalled(signal) : .exited(status >> 8 & 0xff),
      output: collector.buffers[0], errorOutput: collector.buffers[1])
  }

  /// Where a program is: `PATH`, then where administration's programs are.
  package static func locate(_ program: String) throws(HostError) -> String {
    if program.contains("/") { return program }
    let search = getenv("PATH").map { String(cString: $0) } ?? ""
    let directories = search.split(separator: ":").map(String.init) + systemDirectories
    for directory in directories where access("\(directory)/\(program)", X_OK) == 0 {
      return "\(directory)/\(program)"
    }
    throw HostError(
      operation: "find the program", path: program, errorNumber: ENOENT,
      detail: packages[program].map { "install the package \($0)" } ?? "")
  }

  private static let systemDirectories = [
    "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin",
  ]

  private static let packages = [
    "mkfs.ext4": "e2fsprogs", "e2fsck": "e2fsprogs", "resize2fs": "e2fsprogs",
    "mkfs.xfs": "xfsprogs", "xfs_growfs": "xfsprogs", "blkid": "util-linux",
    "etcd": "etcd-server",
  ]

  private static func spawn(
    _ path: String, _ arguments: [String], _ output: Int32, _ errorOutput: Int32
  ) throws(HostError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, errorOutput, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
    let search = "PATH=" + systemDirectories.joined(separator: ":")
    var process: pid_t = 0
    let result = withCStrings([path] + arguments) { arguments in
      withCStrings([search, "LC_ALL=C"]) { environment in
        posix_spawn(&process, path, &actions, &attributes, arguments, environment)
      }
    }
    guard result == 0 else {
      throw HostError(operation: "run", path: path, errorNumber: result)
    }
    return process
  }
}

/// Calls `body` with a list of C strings that ends in nil.
func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
    capacity: strings.count + 1)
  defer {
    for index in 0..<strings.count { free(pointers[index]) }
    pointers.deallocate()
  }
  for (index, string) in strings.enumerated() {
    (pointers + index).initialize(to: strdup(string))
  }
  (pointers + strings.count).initialize(to: nil)
  return body(pointers)
}
