import ArgumentParser
import FUSEServer
import Glibc
import MemoryFileSystem

/// How the file system in memory is mounted.
struct NullOptions: ParsableArguments {
  @Flag(help: "Mount as when others may change the volume: write-through, nothing trusted.")
  var shared = false

  @Flag(help: "Let the kernel open files and directories without asking.")
  var statelessOpens = false

  @Option(help: "Threads that read requests.")
  var readers = 2

  @Option(help: "Microseconds to look for the next request before sleeping.")
  var polling = 50

  func mount(at directory: String) throws -> FUSESession {
    let session = try FUSESession(
      mountingAt: directory, handler: MemoryFileSystem(),
      configuration: SessionConfiguration(
        regime: shared ? .shared : .exclusive, subtype: "galleonfs-null",
        readerThreadCount: readers, label: "null", opensAreStateless: statelessOpens,
        pollingTime: polling > 0 ? .microseconds(polling) : nil))
    try session.start()
    return session
  }

  func validate() throws {
    guard (1...64).contains(readers) else { throw ValidationError("--readers: 1 to 64") }
  }
}

/// Serves a file system in memory until it is unmounted: the floor of FUSE on this machine.
struct NullMount: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve a file system in memory at a directory until it is unmounted.")

  @Argument(help: "A directory that exists.")
  var directory: String

  @OptionGroup var options: NullOptions

  func run() throws {
    let session = try options.mount(at: directory)
    signal(SIGINT, SIG_IGN)
    signal(SIGTERM, SIG_IGN)
    print("serving a file system in memory at \(directory); umount ends it")
    fflush(nil)
    session.waitUntilUnmounted()
    print(Workload.list(session.requestTotals, operationCount: 1))
  }
}
