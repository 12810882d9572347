/// Options of a mount, as `mount -o` and Kubernetes' mountOptions write them.
package struct MountOptions: Hashable, Sendable {
  package var isReadOnly = false
  /// Every write is durable when it returns.
  package var isSynchronous = false
  /// The caller insists that the volume is encrypted.
  package var demandsEncryption = false
  /// Options for the kernel, in the order in which they were given: `noatime`, `nosuid`, …
  package var kernelOptions: [String] = []

  /// Options that change nothing here: they are the default, or ask for less than is given.
  private static let withoutEffect: Set<String> = [
    "defaults", "rw", "async", "nobarrier", "barrier", "_netdev", "auto", "noauto",
    "allow_other", "default_permissions",
  ]
  private static let kernel: Set<String> = [
    "noatime", "nodiratime", "relatime", "strictatime", "lazytime", "nosuid", "suid", "nodev",
    "dev", "noexec", "exec", "dirsync",
  ]

  package init() {}

  /// Takes single options or comma-separated ones. Throws `Refusal` (invalid) for unknown ones
  /// and for `ro` beside `rw`.
  package init(parsing options: [String]) throws(Refusal) {
    let words = options.flatMap { $0.split(separator: ",").map(String.init) }
    for word in words {
      switch word {
      case "ro": isReadOnly = true
      case "sync": isSynchronous = true
      case "encrypted": demandsEncryption = true
      case _ where Self.kernel.contains(word): kernelOptions.append(word)
      case _ where Self.withoutEffect.contains(word): break
      default:
        let known = Self.withoutEffect.union(Self.kernel).union(["ro", "sync", "encrypted"])
        throw .invalid(
          "unknown mount option \"\(word)\"; known are: \(known.sorted().joined(separator: ", "))")
      }
    }
    if isReadOnly, words.contains("rw") {
      throw .invalid("mount options ro and rw contradict each other")
    }
  }
}
