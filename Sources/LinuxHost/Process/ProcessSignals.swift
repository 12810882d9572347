internal import CLinux
internal import Glibc
package import StorageModel

/// Signals as events instead of interruptions.
package enum ProcessSignals {
  /// Catches the signals from now on; their numbers come out of the stream. Call it once.
  package static func events(of signals: [Int32]) throws(IOFailure) -> AsyncStream<Int32> {
    let descriptor = galleonfs_catch_signals(signals, Int32(signals.count))
    if descriptor < 0 { throw IOFailure(operation: "catch signals", errorNumber: -descriptor) }
    let (stream, continuation) = AsyncStream<Int32>.makeStream()
    try HostThread.start(named: "signals") {
      var byte: UInt8 = 0
      while true {
        let count = read(descriptor, &byte, 1)
        if count == 1 { continuation.yield(Int32(byte)) }
        if count == 0 || (count < 0 && errno != EINTR) { break }
      }
      continuation.finish()
    }
    return stream
  }
}

/// This very program, run anew in the same process.
package enum SelfReplacement {
  /// Does not return unless it fails. Everything must have been shut down before.
  package static func run(_ arguments: [String]) -> IOFailure {
    guard let path = programPath else {
      return IOFailure(operation: "read /proc/self/exe", errorNumber: errno)
    }
    let words = CStrings(arguments)
    let result = galleonfs_replace_self(path, words.pointers)
    return IOFailure(operation: "run \(path)", errorNumber: -result)
  }

  /// An upgraded program's file was replaced: then the new one of that name is meant.
  package static var programPath: String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { return nil }
    let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let suffix = " (deleted)"
    return path.hasSuffix(suffix) ? String(path.dropLast(suffix.count)) : path
  }
}
