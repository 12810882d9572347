import ArgumentParser
import FUSEServer
import Glibc
import MemoryFileSystem

/// Measures small files in a directory of any file system.
struct Files: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure small files in a directory: operations a second.")

  @Argument(help: "A directory that exists; what is made in it is removed.")
  var directory: String

  @Option(help: "Files and operations of each kind.")
  var count = 2000

  func run() throws {
    for workload in Workload.all {
      print(try workload.measure(in: directory, count: count, totals: { [:] }))
    }
  }
}

/// Measures the file system in memory: what FUSE itself costs, and which requests it sends.
struct Floor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure FUSE over a file system in memory, with the requests of each operation.")

  @OptionGroup var options: NullOptions

  @Option(help: "Files and operations of each kind.")
  var count = 2000

  func run() throws {
    var template = Array("/tmp/galleonfs-floor-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchError("make a directory") }
    let directory = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { rmdir(directory) }
    let session = try options.mount(at: directory)
    defer {
      umount2(directory, Int32(MNT_DETACH))
      session.close()
    }
    for workload in Workload.all {
      print(
        try workload.measure(in: directory, count: count, totals: { session.requestTotals }))
    }
  }
}
