package import IOSeams
package import StorageModel

extension FileSystem {
  /// A name and the directory it is in.
  package struct Place: Hashable, Sendable {
    package var directory: InodeNumber
    package var name: [UInt8]

    package init(_ name: [UInt8], in directory: InodeNumber) {
      self.directory = directory
      self.name = name
    }
  }

  /// Moves a name, replacing what the new name led to (a directory only if it is empty), or
  /// exchanges both. `EINVAL` for a directory moved into itself and for unknown flags.
  package mutating func rename(
    _ source: Place, to target: Place, flags: RenameFlags = [], store: inout some VolumeStore,
    for request: FileRequest
  ) throws(FileSystemFailure) {
    guard flags.isEmpty || flags == .noReplace || flags == .exchange else {
      throw .posix(.invalid)
    }
    try once(request, &store) { system, change, store throws(FileSystemFailure) in
      try Self.check(source.name)
      try Self.check(target.name)
      for place in [source, target] {
        change.put(try system.directory(place.directory, change, store))
      }
      var old = try system.inode(at: source, &change, store)
      guard let moved = old else { throw .posix(.noEntry) }
      old = try system.inode(at: target, &change, store)
      guard old == nil || flags != .noReplace else { throw .posix(.exists) }
      if flags == .exchange {
        guard let other = old else { throw .posix(.noEntry) }
        guard other.number != moved.number else { return }
        try system.exchange(moved, at: source, other, at: target, &change, store, request.now)
      } else {
        // Two names of one file: nothing happens, as rename(2) has it.
        guard old?.number != moved.number else { return }
        if let old { try system.replace(old, by: moved, at: target, &change, store, request.now) }
        try system.move(moved, from: source, to: target, &change, store, request.now)
      }
    }
  }

  private mutating func inode(
    at place: Place, _ change: inout Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) -> Inode? {
    let key = entryKey(place.name, in: place.directory, store)
    let bucket = try entries(at: key, in: place.directory, &change, store)
    guard let entry = bucket.entry(named: place.name) else { return nil }
    return try inode(namedBy: entry, in: place.directory, change, store)
  }

  /// Removes what the new name led to.
  private mutating func replace(
    _ old: Inode, by moved: Inode, at place: Place, _ change: inout Change,
    _ store: some VolumeStore, _ now: Timestamp
  ) throws(FileSystemFailure) {
    if moved.isDirectory {
      guard old.isDirectory else { throw .posix(.notDirectory) }
      guard old.entryCount == 0 else { throw .posix(.directoryNotEmpty) }
    } else {
      guard !old.isDirectory else { throw .posix(.isDirectory) }
    }
    var directory = try inode(place.directory, change, store)
    let removed = try leave(place.name, &directory, &change, store, now)
    if removed.isDirectory { directory.linkCount = directory.linkCount.decreased }
    change.put(directory)
    try dropName(of: removed, &change, store, now)
  }

  private mutating func move(
    _ moved: Inode, from source: Place, to target: Place, _ change: inout Change,
    _ store: some VolumeStore, _ now: Timestamp
  ) throws(FileSystemFailure) {
    if moved.isDirectory, source.directory != target.directory {
      try refuseCycle(moving: moved.number, under: target.directory, change, store)
    }
    var directory = try inode(source.directory, change, store)
    var inode = try leave(source.name, &directory, &change, store, now)
    if inode.isDirectory { directory.linkCount = directory.linkCount.decreased }
    change.put(directory)

    directory = try self.inode(target.directory, change, store)
    if inode.isDirectory {
      guard directory.linkCount < Inode.maximumLinkCount else { throw .posix(.tooManyLinks) }
      directory.linkCount += 1
      inode.parent = directory.number
    }
    try set(target, to: inode, &change, store)
    directory.entryCount += 1
    directory.touch(now)
    change.put(directory)
    inode.changed = now
    change.put(inode)
  }

  private mutating func exchange(
    _ first: Inode, at firstPlace: Place, _ second: Inode, at secondPlace: Place,
    _ change: inout Change, _ store: some VolumeStore, _ now: Timestamp
  ) throws(FileSystemFailure) {
    for (moved, from, to) in [(first, firstPlace, secondPlace), (second, secondPlace, firstPlace)] {
      if moved.isDirectory, from.directory != to.directory {
        try refuseCycle(moving: moved.number, under: to.directory, change, store)
      }
    }
    for (moved, from, to) in [(first, firstPlace, secondPlace), (second, secondPlace, firstPlace)] {
      try set(to, to: moved, &change, store)
      var directory = try inode(from.directory, change, store)
      if moved.isDirectory { directory.linkCount = directory.linkCount.decreased }
      directory.touch(now)
      change.put(directory)
      directory = try inode(to.directory, change, store)
      if moved.isDirectory { directory.linkCount += 1 }
      change.put(directory)
      var inode = try inode(moved.number, change, store)
      if inode.isDirectory { inode.parent = to.directory }
      inode.changed = now
      change.put(inode)
    }
    for place in [firstPlace, secondPlace] {
      guard try inode(place.directory, change, store).linkCount <= Inode.maximumLinkCount else {
        throw .posix(.tooManyLinks)
      }
    }
  }

  /// Makes a name lead to an inode.
  private func set(
    _ place: Place, to inode: Inode, _ change: inout Change, _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    let key = entryKey(place.name, in: place.directory, store)
    var bucket = try entries(at: key, in: place.directory, &change, store)
    guard bucket.set(place.name, inode: inode.number, kind: inode.kind) else {
      throw .posix(.noSpace)
    }
    change.put(bucket, at: key)
  }

  /// Walks from the new parent to the root. The kernel checks this too, but a cycle would never
  /// be found again.
  private mutating func refuseCycle(
    moving moved: InodeNumber, under parent: InodeNumber, _ change: Change,
    _ store: some VolumeStore
  ) throws(FileSystemFailure) {
    var number = parent
    var remaining = counters.directories
    while number != .root {
      guard number != moved else { throw .posix(.invalid) }
      guard remaining > 0 else {
        throw .corrupt(
          "directory \(parent.rawValue)", expected: "the root above it", found: "a cycle")
      }
      remaining -= 1
      number = try inode(number, change, store).parent
    }
  }
}
