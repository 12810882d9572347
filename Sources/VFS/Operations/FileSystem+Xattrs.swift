package import IOSeams
package import StorageModel

/// Extended attributes, stored as given: what a namespace means is the kernel's business.
extension FileSystem {
  /// The one name that matters to us: changes of content or owner remove it.
  static let capabilityName = [UInt8]("security.capability".utf8)

  /// Sets an attribute. `EEXIST` with `create` if it exists, `ENODATA` with `replace` if not,
  /// `ERANGE` for a name over 255 or a value over 65,536 bytes.
  package mutating func setXattr(
    _ name: [UInt8], of number: InodeNumber, to value: [UInt8], flags: XattrFlags = [],
    store: inout some VolumeStore, for request: FileRequest
  ) throws(FileSystemFailure) {
    guard (1...XattrBucket.maximumNameByteCount).contains(name.count), !name.contains(0),
      value.count <= XattrBucket.maximumValueByteCount
    else { throw .posix(.outOfRange) }
    guard flags.isSubset(of: [.create, .replace]) else { throw .posix(.invalid) }
    try once(request, &store) { system, change, store throws(FileSystemFailure) in
      var inode = try system.inode(number, change, store)
      let key = system.xattrKey(name, of: number, store)
      var bucket = try system.xattrs(at: key, of: inode, store)
      if bucket.value(of: name) == nil {
        guard !flags.contains(.replace) else { throw .posix(.noData) }
        guard inode.xattrCount < .max else { throw .posix(.noSpace) }
        inode.xattrCount += 1
      } else if flags.contains(.create) {
        throw .posix(.exists)
      }
      bucket.set(name, value)
      change.put(bucket, at: key)
      if name == Self.capabilityName { inode.hasCapabilities = true }
      inode.changed = request.now
      change.put(inode)
    }
  }

  /// An attribute's value; `ENODATA` if there is none. Costs nothing for a file without any.
  package mutating func xattr(
    _ name: [UInt8], of number: InodeNumber, store: some VolumeStore
  ) throws(FileSystemFailure) -> [UInt8] {
    let inode = try inode(number, store)
    guard inode.xattrCount > 0, name != Self.capabilityName || inode.hasCapabilities,
      let value = try xattrs(at: xattrKey(name, of: number, store), of: inode, store)
        .value(of: name)
    else { throw .posix(.noData) }
    return value
  }

  /// The names of all attributes.
  package mutating func xattrNames(
    of number: InodeNumber, store: some VolumeStore
  ) throws(FileSystemFailure) -> [[UInt8]] {
    guard try inode(number, store).xattrCount > 0 else { return [] }
    var names: [[UInt8]] = []
    var failure: FileSystemFailure?
    try store.visit(Keys.xattrs(of: number)) { _, value in
      do throws(FileSystemFailure) {
        names += try XattrBucket(decoding: value, inode: number).xattrs.map(\.name)
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    return names
  }

  /// Removes an attribute; `ENODATA` if there is none.
  package mutating func removeXattr(
    _ name: [UInt8], of number: InodeNumber, store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) {
    try once(request, &store) { system, change, store throws(FileSystemFailure) in
      var inode = try system.inode(number, change, store)
      let key = system.xattrKey(name, of: number, store)
      var bucket = try system.xattrs(at: key, of: inode, store)
      guard bucket.value(of: name) != nil else { throw .posix(.noData) }
      bucket.remove(name)
      change.put(bucket, at: key)
      inode.xattrCount -= min(1, inode.xattrCount)
      if name == Self.capabilityName { inode.hasCapabilities = false }
      inode.changed = request.now
      change.put(inode)
    }
  }

  func xattrKey(_ name: [UInt8], of number: InodeNumber, _ store: some VolumeStore) -> StoreKey {
    Keys.xattr(of: number, hash: NameHash(of: store.nameHash(name)))
  }

  /// The attributes that share a hash.
  func xattrs(
    at key: StoreKey, of inode: Inode, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> XattrBucket {
    guard inode.xattrCount > 0, let bytes = try store.read(key) else { return XattrBucket() }
    return try XattrBucket(decoding: bytes, inode: inode.number)
  }
}
