/// A file system of the kernel that we make on a block volume's device.
package enum DeviceFileSystem: String, Hashable, Sendable, CaseIterable {
  case ext4
  case xfs

  /// What lies on a device.
  package enum Content: Hashable, Sendable {
    case nothing
    /// A file system's type as blkid names it.
    case fileSystem(String)
    /// A partition table, a RAID member, …: by name.
    case other(String)
  }

  /// Looks at a device's bytes (`blkid -p`).
  package static func probe(_ device: String) throws(HostError) -> Content {
    let result = try ChildProcess.run("blkid", ["-p", "-o", "export", device])
    // 2: nothing was found; 8: more than one thing, so it is not blank.
    switch result.status {
    case .exited(0): break
    case .exited(2): return .nothing
    case .exited(8): return .other("several signatures")
    default: throw result.error("look at the content of", path: device)
    }
    var values: [Substring: Substring] = [:]
    for line in result.outputText.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { values[parts[0]] = parts[1] }
    }
    if let type = values["TYPE"], values["USAGE"] ?? "filesystem" == "filesystem" {
      return .fileSystem(String(type))
    }
    if let name = values["TYPE"] ?? values["PTTYPE"] { return .other(String(name)) }
    return .nothing
  }

  /// Makes a file system on a device; blank ones only, unless the caller has looked.
  package func make(on device: String) throws(HostError) {
    let arguments =
      switch self {
      // Inode tables are zeroed by the kernel later; nothing is reserved for root, since the
      // volume's size is the user's; and there is nothing to discard on a blank device.
      case .ext4: ["-F", "-q", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", device]
      case .xfs: ["-f", "-q", "-K", device]
      }
    let result = try ChildProcess.run(
      "mkfs." + rawValue, arguments, timeout: .seconds(300))
    guard result.status == .exited(0) else {
      throw result.error("make \(rawValue)", path: device)
    }
  }

  /// Repairs what a crash left, before mounting; xfs does it by itself.
  package func check(_ device: String) throws(HostError) {
    guard self == .ext4 else { return }
    let result = try ChildProcess.run("e2fsck", ["-p", device], timeout: .seconds(600))
    // 1: errors were corrected.
    guard result.status == .exited(0) || result.status == .exited(1) else {
      throw result.error("check ext4", path: device)
    }
  }

  /// Grows ext4 that is not mounted to its device's size; xfs can only grow while mounted.
  package func growUnmounted(device: String) throws(HostError) {
    guard self == .ext4 else { return }
    let check = try ChildProcess.run("e2fsck", ["-f", "-p", device], timeout: .seconds(600))
    guard check.status == .exited(0) || check.status == .exited(1) else {
      throw check.error("check ext4 before growing it", path: device)
    }
    let result = try ChildProcess.run("resize2fs", [device], timeout: .seconds(300))
    guard result.status == .exited(0) else { throw result.error("grow ext4", path: device) }
  }

  /// Grows a mounted file system to its device's size. ext4 asks for CAP_SYS_RESOURCE.
  package func grow(device: String, mountedAt path: String) throws(HostError) {
    let result =
      switch self {
      case .ext4: try ChildProcess.run("resize2fs", [device], timeout: .seconds(300))
      case .xfs: try ChildProcess.run("xfs_growfs", ["-d", path], timeout: .seconds(300))
      }
    guard result.status == .exited(0) else {
      throw result.error("grow \(rawValue)", path: path)
    }
  }

  /// Debian's package that holds the tools, for messages.
  package var packageName: String {
    switch self {
    case .ext4: "e2fsprogs"
    case .xfs: "xfsprogs"
    }
  }
}
