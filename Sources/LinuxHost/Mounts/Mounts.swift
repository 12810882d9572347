internal import Glibc

/// mount(2) and umount2(2): blocking, need root. Paths have to be absolute.
package enum Mounts {
  /// Mounts a file system of the kernel.
  package static func mount(
    source: String, at path: String, type: String, options: MountOptions
  ) throws(HostError) {
    try check(
      Glibc.mount(source, path, type, options.flags, options.data),
      "mount \(type) of \(source)", at: path, detail: mountAdvice())
  }

  /// Shows what is at `source`, a directory or a file, also at `path`, which has to be of the same
  /// kind. Read-only concerns this mount alone. Flags are noatime, nosuid, nodev, noexec, ….
  package static func bind(
    _ source: String, at path: String, options: MountOptions = MountOptions()
  ) throws(HostError) {
    try check(
      Glibc.mount(source, path, nil, UInt(MS_BIND), nil), "bind \(source)", at: path,
      detail: mountAdvice())
    guard options.flags != 0 else { return }
    do {
      try remountBind(path, options: options)
    } catch {
      umount2(path, Int32(MNT_DETACH))
      throw error
    }
  }

  /// Changes the flags of a mount that exists, not those of its file system.
  package static func remountBind(_ path: String, options: MountOptions) throws(HostError) {
    let flags = UInt(MS_REMOUNT) | UInt(MS_BIND) | options.flags
    try check(Glibc.mount(nil, path, nil, flags, nil), "change the mount's flags", at: path)
  }

  /// From now on every write through any mount of the file system at `path` is durable when it
  /// returns, as with the mount option sync; `/proc/self/mountinfo` shows it.
  package static func makeSynchronous(_ path: String) throws(HostError) {
    let flags = UInt(MS_REMOUNT) | UInt(MS_SYNCHRONOUS)
    try check(Glibc.mount(nil, path, nil, flags, nil), "make the mount synchronous", at: path)
  }

  /// Keeps mounts from spreading to and from other namespaces below `path`.
  package static func makePrivate(_ path: String) throws(HostError) {
    try check(
      Glibc.mount(nil, path, nil, UInt(MS_PRIVATE), nil), "make the mount private", at: path)
  }

  /// Unmounts what is visible at `path`; nothing mounted there is no error. `lazily`: the name goes
  /// at once, the rest with the last close.
  package static func unmount(_ path: String, lazily: Bool = false) throws(HostError) {
    let flags = Int32(UMOUNT_NOFOLLOW) | (lazily ? Int32(MNT_DETACH) : 0)
    guard umount2(path, flags) != 0 else { return }
    guard errno != EINVAL, errno != ENOENT else { return }
    let number = errno
    throw HostError(
      operation: "unmount", path: path, errorNumber: number,
      detail: number == EBUSY ? "files on it are open" : "")
  }

  /// Unmounts all that is stacked at `path`, the visible first.
  package static func unmountAll(_ path: String, lazily: Bool = false) throws(HostError) {
    while try MountTable.current().isMountPoint(path) { try unmount(path, lazily: lazily) }
  }

  /// Whether a FUSE mount without daemon is at `path` (ENOTCONN). Asks the file system: a mount
  /// whose device the keeper holds makes the caller wait for the next daemon.
  package static func isDead(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) != 0 else { return false }
    return errno == ENOTCONN || errno == ECONNABORTED
  }

  /// Detaches dead FUSE mounts stacked at `path`; how many there were.
  @discardableResult
  package static func detachDead(_ path: String) throws(HostError) -> Int {
    var count = 0
    while isDead(path) {
      try unmount(path, lazily: true)
      count += 1
    }
    return count
  }

  private static func mountAdvice() -> String {
    switch errno {
    case EPERM: "mounting needs root (CAP_SYS_ADMIN)"
    case ENODEV: "the kernel does not know this file system"
    case ENOENT: "the path has to exist"
    case ENOTDIR: "a directory cannot be shown at a file, nor a file at a directory"
    default: ""
    }
  }
}
