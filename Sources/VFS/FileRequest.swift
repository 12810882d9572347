package import StorageModel

/// Who asks, when, and which request it is: what comes with every change.
package struct FileRequest: Hashable, Sendable {
  package var caller: Caller
  package var now: Timestamp
  /// Given for requests that must be carried out once even if they are sent again.
  package var identity: RequestIdentity?

  package init(caller: Caller, now: Timestamp, identity: RequestIdentity? = nil) {
    self.caller = caller
    self.now = now
    self.identity = identity
  }
}

/// Which request of which session; its reply is kept until `repliesPerSession` later ones.
package struct RequestIdentity: Hashable, Sendable {
  package var session: UInt64
  package var sequence: UInt64
  /// The request may have been carried out before: only then is a kept reply looked for.
  package var mayBeRepeated: Bool

  /// More than a mount has in flight at once.
  package static let repliesPerSession = 256

  package init(session: UInt64, sequence: UInt64, mayBeRepeated: Bool) {
    self.session = session
    self.sequence = sequence
    self.mayBeRepeated = mayBeRepeated
  }
}

/// How `FileSystem.rename` treats a name that exists; raw values are renameat2(2)'s.
package struct RenameFlags: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32

  package static let noReplace = RenameFlags(rawValue: 1)
  package static let exchange = RenameFlags(rawValue: 2)

  package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// What `FileSystem.allocate` does; raw values are fallocate(2)'s.
package struct AllocationMode: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32

  package static let keepSize = AllocationMode(rawValue: 0x01)
  package static let punchHole = AllocationMode(rawValue: 0x02)
  package static let zeroRange = AllocationMode(rawValue: 0x10)

  package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// Whether an extended attribute must be new or must exist; raw values are setxattr(2)'s.
package struct XattrFlags: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32

  package static let create = XattrFlags(rawValue: 1)
  package static let replace = XattrFlags(rawValue: 2)

  package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// How a write treats the rest of the inode.
package struct WriteOptions: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  /// Clear set-user-ID, set-group-ID and capabilities.
  package static let dropsPrivileges = WriteOptions(rawValue: 1)
  /// Leave the times alone: the kernel's write-back cache sends its own.
  package static let keepsTimes = WriteOptions(rawValue: 2)

  package init(rawValue: UInt8) { self.rawValue = rawValue }
}

/// What lseek(2) looks for.
package enum SeekTarget: Hashable, Sendable {
  case data
  case hole
}

/// How long a file without a name lives.
package enum OrphanPolicy: Hashable, Sendable {
  /// Until its last `release`: every open file was opened through this value.
  case untilLastRelease
  /// Until `forget`, or until `abandonOrphans`: the mount is older than this value, so files may
  /// be open that it knows nothing of.
  case untilForget
}
