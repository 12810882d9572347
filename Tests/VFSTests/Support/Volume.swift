import IOSeams
import StorageModel

@testable import VFS

/// A file system and its store, with a clock that ticks once an operation.
struct Volume {
  var store: MemoryStore
  var system: FileSystem
  private(set) var clock: Int64 = 1000
  var caller = Caller(userID: 1000, groupID: 100, processID: 1, umask: 0o022)

  init(_ store: MemoryStore = MemoryStore()) throws {
    self.store = store
    try FileSystem.format(&self.store, now: Timestamp(seconds: 999, nanoseconds: 0))
    system = try FileSystem(loading: self.store)
  }

  /// What the next operation says of itself.
  mutating func request(_ identity: RequestIdentity? = nil) -> FileRequest {
    clock += 1
    return FileRequest(
      caller: caller, now: Timestamp(seconds: clock, nanoseconds: 5), identity: identity)
  }

  var lastTime: Timestamp { Timestamp(seconds: clock, nanoseconds: 5) }

  /// Starts anew on the same store, as after a crash.
  mutating func reload(_ policy: OrphanPolicy = .untilLastRelease) throws {
    system = try FileSystem(loading: store, orphans: policy)
  }

  mutating func create(
    _ name: String, in parent: InodeNumber = .root, _ permissions: UInt32 = 0o644
  ) throws -> InodeNumber {
    try system.create(
      bytes(name), in: parent, permissions: permissions, store: &store, for: request()
    ).inode
  }

  mutating func makeDirectory(
    _ name: String, in parent: InodeNumber = .root, _ permissions: UInt32 = 0o755
  ) throws -> InodeNumber {
    try system.makeDirectory(
      bytes(name), in: parent, permissions: permissions, store: &store, for: request()
    ).inode
  }

  mutating func lookup(_ name: String, in parent: InodeNumber = .root) throws -> FileAttributes {
    try system.lookup(bytes(name), in: parent, store: store)
  }

  mutating func attributes(_ inode: InodeNumber) throws -> FileAttributes {
    try system.attributes(of: inode, store: store)
  }

  mutating func link(_ inode: InodeNumber, _ name: String, in parent: InodeNumber = .root) throws {
    _ = try system.link(inode, as: bytes(name), in: parent, store: &store, for: request())
  }

  mutating func unlink(_ name: String, in parent: InodeNumber = .root) throws {
    try system.unlink(bytes(name), in: parent, store: &store, for: request())
  }

  mutating func removeDirectory(_ name: String, in parent: InodeNumber = .root) throws {
    try system.removeDirectory(bytes(name), in: parent, store: &store, for: request())
  }

  mutating func rename(
    _ name: String, from parent: InodeNumber = .root, to newName: String,
    in newParent: InodeNumber = .root, _ flags: RenameFlags = []
  ) throws {
    try system.rename(
      .init(bytes(name), in: parent), to: .init(bytes(newName), in: newParent), flags: flags,
      store: &store, for: request())
  }

  mutating func write(
    _ content: [UInt8], to inode: InodeNumber, at offset: UInt64 = 0, _ options: WriteOptions = []
  ) throws {
    let request = request()
    try content.withUnsafeBytes { bytes in
      try system.write(bytes, to: inode, at: offset, options: options, store: &store, for: request)
    }
  }

  mutating func read(_ inode: InodeNumber, at offset: UInt64 = 0, count: Int = 1 << 30) throws
    -> [UInt8]
  {
    let plan = try system.planRead(inode, at: offset, byteCount: count, store: store)
    return store.bytes(of: plan.object, at: Int(plan.offsetBytes), count: plan.byteCount)
  }

  mutating func set(_ inode: InodeNumber, _ change: (inout AttributeChanges) -> Void) throws
    -> FileAttributes
  {
    var changes = AttributeChanges()
    change(&changes)
    return try system.setAttributes(of: inode, changes, store: &store, for: request())
  }

  mutating func truncate(_ inode: InodeNumber, to size: UInt64) throws {
    _ = try set(inode) { $0.sizeBytes = size }
  }

  mutating func allocate(
    _ mode: AllocationMode, _ inode: InodeNumber, at offset: UInt64, count: UInt64
  ) throws {
    try system.allocate(
      mode, in: inode, at: offset, byteCount: count, store: &store, for: request())
  }

  mutating func reclaimAll() throws { while try system.reclaim(&store) {} }

  /// The names of a directory, read `pageCount` at a time.
  mutating func names(in directory: InodeNumber = .root, pageCount: Int = 7) throws -> [String] {
    var names: [String] = []
    var position: UInt64 = 0
    var isFull = true
    while isFull {
      var count = 0
      isFull = false
      try system.readDirectory(directory, after: position, store: store) { entry in
        guard count < pageCount else {
          isFull = true
          return false
        }
        count += 1
        position = entry.position
        names.append(String(decoding: entry.name, as: UTF8.self))
        return true
      }
    }
    return names
  }

  func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
}

/// The error of POSIX that an operation fails with; nil if it does not fail.
func fileError(_ operation: () throws -> Void) throws -> FileError? {
  do {
    try operation()
    return nil
  } catch let failure as FileSystemFailure {
    return failure.fileError
  }
}

/// SplitMix64: the same numbers from the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension [UInt8] {
  /// Copies bytes over a part, which must exist; fast without optimisation too.
  mutating func overwrite(from offset: Int, with bytes: UnsafeRawBufferPointer) {
    withUnsafeMutableBytes { target in
      UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + bytes.count])
        .copyMemory(from: bytes)
    }
  }

  /// Makes a part zeros.
  mutating func clear(_ range: Range<Int>) {
    [UInt8](repeating: 0, count: range.count).withUnsafeBytes {
      overwrite(from: range.lowerBound, with: $0)
    }
  }
}
