package import StorageModel

/// Names one request of the kernel on one mount, for answering it exactly once.
///
/// A request that a dead daemon held is sent again with the same number and `isResend` set
/// (linux/fuse.h, `FUSE_UNIQUE_RESEND`, protocol 7.40).
package struct RequestIdentity: Hashable, Sendable {
  /// The kernel's number of the request: grows on a mount, never reused, without the resend bit.
  package let number: UInt64
  /// Whether the kernel sent it before, to a daemon that may have carried it out.
  package let isResend: Bool

  /// Bit 63 of `unique`.
  private static let resendBit: UInt64 = 1 << 63

  package init(unique: UInt64) {
    number = unique & ~Self.resendBit
    isResend = unique & Self.resendBit != 0
  }
}

/// What comes with every request: on whose behalf, which one, and memory to answer from.
package struct RequestContext {
  package let caller: Caller
  package let identity: RequestIdentity
  /// The reader thread's page-aligned buffer, at least as large as the largest read or directory
  /// reply. Its bytes are undefined and the handler's only until its method returns: replies
  /// sent from it must be sent before that.
  package let scratch: UnsafeMutableRawBufferPointer
}

/// What the handler gave to an open file. 0 when opens are stateless.
package struct FileHandle: Hashable, Sendable {
  package let rawValue: UInt64

  package static let none = FileHandle(0)

  package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// Flags of open(2), as the kernel passes them on (fcntl.h).
package struct OpenFlags: OptionSet, Hashable, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let writeOnly = OpenFlags(rawValue: 0o1)
  package static let readWrite = OpenFlags(rawValue: 0o2)
  package static let exclusive = OpenFlags(rawValue: 0o200)
  package static let truncate = OpenFlags(rawValue: 0o1000)
  package static let append = OpenFlags(rawValue: 0o2000)
  package static let dataSync = OpenFlags(rawValue: 0o10000)
  package static let direct = OpenFlags(rawValue: 0o40000)
  package static let sync = OpenFlags(rawValue: 0o4_010000)

  /// Whether the file may be written through this open.
  package var allowsWriting: Bool { rawValue & 0o3 != 0 }
  /// Whether each write must be durable before it is answered (O_SYNC or O_DSYNC).
  package var isSynchronous: Bool { contains(.dataSync) }
}

/// Flags of renameat2(2).
package struct RenameFlags: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let noReplace = RenameFlags(rawValue: 1)
  package static let exchange = RenameFlags(rawValue: 2)
  package static let whiteout = RenameFlags(rawValue: 4)
}

/// How a write came about.
package struct WriteFlags: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Written back from the page cache: the caller's IDs are not valid, the handle is a guess.
  package static let fromCache = WriteFlags(rawValue: 1)
  /// The file system has to drop set-user-ID, set-group-ID and file capabilities.
  package static let dropsPrivileges = WriteFlags(rawValue: 4)
  /// The file was opened with O_SYNC or O_DSYNC: durable before the answer.
  package static let synchronous = WriteFlags(rawValue: 1 << 31)
}

/// Modes of fallocate(2).
package struct AllocationMode: OptionSet, Hashable, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let keepSize = AllocationMode(rawValue: 0x01)
  package static let punchHole = AllocationMode(rawValue: 0x02)
  package static let collapseRange = AllocationMode(rawValue: 0x08)
  package static let zeroRange = AllocationMode(rawValue: 0x10)
  package static let insertRange = AllocationMode(rawValue: 0x20)
  package static let unshareRange = AllocationMode(rawValue: 0x40)
}

/// Flags of setxattr(2).
package enum AttributeWriteMode: Hashable, Sendable {
  case createOrReplace
  case createOnly
  case replaceOnly
}

/// What lseek(2) looks for.
package enum SeekTarget: Hashable, Sendable {
  case data
  case hole
}
