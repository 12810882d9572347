internal import Glibc

/// Mount options as users write them, split into mount(2)'s flags and the rest.
package struct MountOptions: Hashable, Sendable {
  /// Bits of mount(2), read-only included.
  package private(set) var flags: UInt = 0
  /// Options that are no flags, in their order: for the file system, or unknown to it.
  package private(set) var remaining: [String] = []

  package var isReadOnly: Bool {
    get { flags & UInt(MS_RDONLY) != 0 }
    set { flags = newValue ? flags | UInt(MS_RDONLY) : flags & ~UInt(MS_RDONLY) }
  }

  /// Later options win over earlier ones; each may itself be a list with commas.
  package init(_ options: [String] = []) {
    for option in options.flatMap({ $0.split(separator: ",") }) { add(String(option)) }
  }

  /// The rest, as mount(2)'s data.
  package var data: String { remaining.joined(separator: ",") }

  private mutating func add(_ option: String) {
    if Self.ignored.contains(option) || option.hasPrefix("x-") { return }
    if let bits = Self.sets[option] {
      flags |= bits
    } else if let bits = Self.clears[option] {
      flags &= ~bits
    } else {
      remaining.append(option)
    }
  }

  private static let lazyTime: UInt = 1 << 25
  private static let noSymbolicLinks: UInt = 256

  private static let sets: [String: UInt] = [
    "ro": UInt(MS_RDONLY), "nosuid": UInt(MS_NOSUID), "nodev": UInt(MS_NODEV),
    "noexec": UInt(MS_NOEXEC), "sync": UInt(MS_SYNCHRONOUS), "dirsync": UInt(MS_DIRSYNC),
    "noatime": UInt(MS_NOATIME), "nodiratime": UInt(MS_NODIRATIME),
    "relatime": UInt(MS_RELATIME), "strictatime": UInt(MS_STRICTATIME), "lazytime": lazyTime,
    "nosymfollow": noSymbolicLinks,
  ]

  private static let clears: [String: UInt] = [
    "rw": UInt(MS_RDONLY), "suid": UInt(MS_NOSUID), "dev": UInt(MS_NODEV),
    "exec": UInt(MS_NOEXEC), "async": UInt(MS_SYNCHRONOUS), "atime": UInt(MS_NOATIME),
    "diratime": UInt(MS_NODIRATIME), "norelatime": UInt(MS_RELATIME),
    "nostrictatime": UInt(MS_STRICTATIME), "nolazytime": lazyTime, "symfollow": noSymbolicLinks,
  ]

  /// For mount(8) and fstab, not for the kernel.
  private static let ignored: Set<String> = [
    "defaults", "_netdev", "nofail", "auto", "noauto", "user", "nouser",
  ]
}
