internal import Synchronization

/// Counts requests by opcode, for metrics.
///
/// @unchecked: the memory is allocated once, freed at the end, and only accessed atomically.
final class RequestCounters: @unchecked Sendable {
  private static let slotCount = 64
  private let slots: UnsafeMutablePointer<Atomic<UInt64>>

  init() {
    slots = .allocate(capacity: Self.slotCount)
    for index in 0..<Self.slotCount { (slots + index).initialize(to: Atomic(0)) }
  }

  deinit {
    slots.deinitialize(count: Self.slotCount)
    slots.deallocate()
  }

  func count(_ opcode: UInt32) {
    slots[Int(min(opcode, UInt32(Self.slotCount - 1)))].add(1, ordering: .relaxed)
  }

  /// Name of each request kind that was seen, with its count.
  var totals: [String: UInt64] {
    var totals: [String: UInt64] = [:]
    for index in 0..<Self.slotCount {
      let count = slots[index].load(ordering: .relaxed)
      if count > 0 { totals[Self.names[index] ?? "other", default: 0] += count }
    }
    return totals
  }

  /// linux/fuse.h, `enum fuse_opcode`.
  private static let names: [Int: String] = [
    1: "lookup", 2: "forget", 3: "getattr", 4: "setattr", 5: "readlink", 6: "symlink",
    8: "mknod", 9: "mkdir", 10: "unlink", 11: "rmdir", 12: "rename", 13: "link", 14: "open",
    15: "read", 16: "write", 17: "statfs", 18: "release", 20: "fsync", 21: "setxattr",
    22: "getxattr", 23: "listxattr", 24: "removexattr", 25: "flush", 26: "init", 27: "opendir",
    28: "readdir", 29: "releasedir", 30: "fsyncdir", 31: "getlk", 32: "setlk", 33: "setlkw",
    34: "access", 35: "create", 36: "interrupt", 37: "bmap", 38: "destroy", 39: "ioctl",
    40: "poll", 41: "notify_reply", 42: "batch_forget", 43: "fallocate", 44: "readdirplus",
    45: "rename2", 46: "lseek", 47: "copy_file_range", 50: "syncfs", 51: "tmpfile", 52: "statx",
  ]
}
