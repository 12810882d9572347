/// The number of a file's inode, persistent and never reused. The root directory is 1.
package struct InodeNumber: Hashable, Sendable, Comparable {
  package let rawValue: UInt64

  package static let root = InodeNumber(1)

  package init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// The object that holds the file's data.
  package var object: ObjectNumber { ObjectNumber(rawValue) }

  package static func < (left: InodeNumber, right: InodeNumber) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// Type of a file; raw values are the `S_IFMT` bits of `st_mode` (stat(2)).
package enum FileKind: UInt32, Sendable, CaseIterable {
  case fifo = 0o010000
  case characterDevice = 0o020000
  case directory = 0o040000
  case blockDevice = 0o060000
  case regular = 0o100000
  case symbolicLink = 0o120000
  case socket = 0o140000
}

/// A moment since 1970-01-01 UTC, as in `struct timespec`.
package struct Timestamp: Hashable, Sendable, Comparable {
  package var seconds: Int64
  /// 0 ..< 1,000,000,000
  package var nanoseconds: UInt32

  package init(seconds: Int64, nanoseconds: UInt32) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }
}

/// What stat(2) tells of a file.
package struct FileAttributes: Hashable, Sendable {
  package var inode: InodeNumber
  package var kind: FileKind
  /// Permission bits with set-user-ID, set-group-ID and sticky: 0o7777 at the most.
  package var permissions: UInt32
  package var linkCount: UInt32
  package var userID: UInt32
  package var groupID: UInt32
  /// Major and minor of a device file, as in `st_rdev`.
  package var device: UInt32
  package var sizeBytes: UInt64
  /// Bytes that the file's blocks occupy in the volume.
  package var allocatedBytes: UInt64
  package var accessed: Timestamp
  package var modified: Timestamp
  package var changed: Timestamp
  package var created: Timestamp
  /// Bytes of a block, for `st_blksize`.
  package var blockByteCount: UInt32

  package init(
    inode: InodeNumber, kind: FileKind, permissions: UInt32, linkCount: UInt32, userID: UInt32,
    groupID: UInt32, device: UInt32, sizeBytes: UInt64, allocatedBytes: UInt64,
    accessed: Timestamp, modified: Timestamp, changed: Timestamp, created: Timestamp,
    blockByteCount: UInt32
  ) {
    self.inode = inode
    self.kind = kind
    self.permissions = permissions
    self.linkCount = linkCount
    self.userID = userID
    self.groupID = groupID
    self.device = device
    self.sizeBytes = sizeBytes
    self.allocatedBytes = allocatedBytes
    self.accessed = accessed
    self.modified = modified
    self.changed = changed
    self.created = created
    self.blockByteCount = blockByteCount
  }
}

/// What setattr changes: nil leaves as it is.
package struct AttributeChanges: Hashable, Sendable {
  package enum Time: Hashable, Sendable {
    case now
    case at(Timestamp)
  }

  package var permissions: UInt32?
  package var userID: UInt32?
  package var groupID: UInt32?
  package var sizeBytes: UInt64?
  package var accessed: Time?
  package var modified: Time?
  package var changed: Timestamp?
  /// The kernel asks to drop set-user-ID, set-group-ID (if group-executable) and capabilities.
  package var dropsPrivileges = false

  package init() {}
}

/// On whose behalf the kernel asks.
package struct Caller: Hashable, Sendable {
  package var userID: UInt32
  package var groupID: UInt32
  package var processID: Int32
  package var umask: UInt32

  package init(userID: UInt32, groupID: UInt32, processID: Int32, umask: UInt32) {
    self.userID = userID
    self.groupID = groupID
    self.processID = processID
    self.umask = umask
  }
}

/// What statfs(2) tells of a volume.
package struct FileSystemStatistics: Hashable, Sendable {
  package var blockByteCount: UInt32
  package var totalBlocks: UInt64
  package var freeBlocks: UInt64
  package var totalInodes: UInt64
  package var freeInodes: UInt64
  package var maximumNameByteCount: UInt32

  package init(
    blockByteCount: UInt32, totalBlocks: UInt64, freeBlocks: UInt64, totalInodes: UInt64,
    freeInodes: UInt64, maximumNameByteCount: UInt32
  ) {
    self.blockByteCount = blockByteCount
    self.totalBlocks = totalBlocks
    self.freeBlocks = freeBlocks
    self.totalInodes = totalInodes
    self.freeInodes = freeInodes
    self.maximumNameByteCount = maximumNameByteCount
  }
}

/// The errors of POSIX that a file system gives; raw values are Linux's (asm-generic/errno.h).
package enum FileError: Int32, Error, Sendable, CaseIterable {
  case notPermitted = 1  // EPERM
  case noEntry = 2  // ENOENT
  case interrupted = 4  // EINTR
  case inputOutput = 5  // EIO
  case noDeviceOrAddress = 6  // ENXIO
  case badDescriptor = 9  // EBADF
  case tryAgain = 11  // EAGAIN
  case outOfMemory = 12  // ENOMEM
  case accessDenied = 13  // EACCES
  case busy = 16  // EBUSY
  case exists = 17  // EEXIST
  case crossDevice = 18  // EXDEV
  case notDirectory = 20  // ENOTDIR
  case isDirectory = 21  // EISDIR
  case invalid = 22  // EINVAL
  case fileTooBig = 27  // EFBIG
  case noSpace = 28  // ENOSPC
  case readOnly = 30  // EROFS
  case tooManyLinks = 31  // EMLINK
  case outOfRange = 34  // ERANGE
  case nameTooLong = 36  // ENAMETOOLONG
  case notImplemented = 38  // ENOSYS
  case directoryNotEmpty = 39  // ENOTEMPTY
  case tooManySymbolicLinks = 40  // ELOOP
  case noData = 61  // ENODATA
  case notSupported = 95  // EOPNOTSUPP
  case stale = 116  // ESTALE
}
