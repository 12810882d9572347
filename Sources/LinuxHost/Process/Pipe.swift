internal import Glibc

/// A pipe whose ends close with it.
final class Pipe {
  let readEnd: Int32
  private(set) var writeEnd: Int32

  init() throws(HostError) {
    var ends: [Int32] = [-1, -1]
    try check(pipe(&ends), "make a pipe")
    (readEnd, writeEnd) = (ends[0], ends[1])
    _ = fcntl(readEnd, F_SETFD, FD_CLOEXEC)
    _ = fcntl(writeEnd, F_SETFD, FD_CLOEXEC)
  }

  deinit {
    close(readEnd)
    closeWriteEnd()
  }

  func closeWriteEnd() {
    guard writeEnd >= 0 else { return }
    close(writeEnd)
    writeEnd = -1
  }
}

/// Reads several pipes to their ends at the same time.
struct OutputCollector {
  private(set) var buffers: [[UInt8]]
  private var descriptors: [pollfd]

  init(_ readEnds: Int32...) {
    buffers = readEnds.map { _ in [] }
    descriptors = readEnds.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
  }

  /// False if the pipes did not end in time.
  mutating func collect(until deadline: ContinuousClock.Instant) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while descriptors.contains(where: { $0.fd >= 0 }) {
      let remaining = ContinuousClock.now.duration(to: deadline)
      guard remaining > .zero else { return false }
      let milliseconds = Int32(clamping: remaining / .milliseconds(1) + 1)
      guard poll(&descriptors, nfds_t(descriptors.count), milliseconds) >= 0 || errno == EINTR
      else { return false }
      for index in descriptors.indices where descriptors[index].revents != 0 {
        let count = chunk.withUnsafeMutableBytes {
          read(descriptors[index].fd, $0.baseAddress, $0.count)
        }
        if count > 0 {
          let room = ChildProcess.maximumOutputByteCount - buffers[index].count
          buffers[index] += chunk[..<min(count, room)]
        } else if count == 0 || errno != EINTR {
          // poll(2) skips negative descriptors.
          descriptors[index].fd = -1
        }
      }
    }
    return true
  }
}

extension Int32 {
  fileprivate init(clamping value: Double) {
    self = value >= Double(Int32.max) ? .max : value <= 0 ? 0 : Int32(value)
  }
}
