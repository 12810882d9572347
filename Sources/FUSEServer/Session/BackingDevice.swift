internal import CFuse3
internal import Glibc

/// The kernel's limits for a FUSE file system, which are set for untrusted ones.
enum BackingDevice {
  /// Bytes that a mount may hold dirty. By default it is 1 % of the dirty limit. The limit stays
  /// strict: a daemon that writes to a disk itself must not be held up by its own mounts' pages.
  static let maximumDirtyByteCount = 256 << 20
  /// KiB read ahead of a sequential reader; by default 128.
  static let readAheadKibibyteCount = 1024

  /// Sets the limits. Best effort: without a writable /sys the kernel's own remain, slower.
  static func tune(mountedAt path: String) {
    var major: UInt32 = 0
    var minor: UInt32 = 0
    guard galleonfs_device_of(path, &major, &minor) == 0 else { return }
    let directory = "/sys/class/bdi/\(major):\(minor)"
    put("\(maximumDirtyByteCount)", into: directory + "/max_bytes")
    put("\(readAheadKibibyteCount)", into: directory + "/read_ahead_kb")
  }

  private static func put(_ text: String, into path: String) {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    _ = text.withCString { write(file, $0, strlen($0)) }
  }
}
