internal import CLinux
internal import Glibc

/// A loop device: a file shown as a block device. All calls block and need root.
package struct LoopDevice: Hashable, Sendable {
  /// `/dev/loop7`
  package let path: String

  package init(path: String) { self.path = path }

  /// How often a free device is asked for when others take it first.
  private static let attemptCount = 32

  /// Attaches a file, with direct I/O where the file system below can.
  package static func attach(
    _ file: String, isReadOnly: Bool, blockByteCount: Int = 4096
  ) throws(HostError) -> LoopDevice {
    let access = isReadOnly ? O_RDONLY : O_RDWR
    let backing = try check(open(file, access | O_CLOEXEC), "open the device's file", at: file)
    defer { close(backing) }
    let control = try check(
      open("/dev/loop-control", O_RDWR | O_CLOEXEC), "open", at: "/dev/loop-control",
      detail: "load the kernel module loop, and give the container the device")
    defer { close(control) }
    for _ in 0..<attemptCount {
      let number = try check(clinux_loop_get_free(control), "find a free loop device")
      let device = LoopDevice(path: "/dev/loop\(number)")
      if try device.configure(
        backing, file, isReadOnly: isReadOnly, blockByteCount: blockByteCount)
      {
        return device
      }
    }
    throw HostError(operation: "find a free loop device", path: file, errorNumber: EBUSY)
  }

  /// The devices that a file is attached to.
  package static func attached(to file: String) throws(HostError) -> [LoopDevice] {
    guard let directory = opendir("/sys/block") else {
      throw HostError(operation: "list", path: "/sys/block", errorNumber: errno)
    }
    defer { closedir(directory) }
    var found: [LoopDevice] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.hasPrefix("loop") else { continue }
      let device = LoopDevice(path: "/dev/" + name)
      if device.backingFile == file { found.append(device) }
    }
    return found.sorted { $0.path < $1.path }
  }

  /// The file that is attached, as the kernel saw its path; nil if none is.
  package var backingFile: String? {
    let name = path.split(separator: "/").last ?? ""
    // A device that is not attached has no such file.
    let bytes = try? HostFiles.contents(of: "/sys/block/\(name)/loop/backing_file")
    guard let bytes else { return nil }
    var text = String(decoding: bytes, as: UTF8.self)
    if text.hasSuffix("\n") { text.removeLast() }
    return text
  }

  package func byteCount() throws(HostError) -> UInt64 {
    try withOpen { device throws(HostError) in
      var count: UInt64 = 0
      try check(clinux_block_device_byte_count(device, &count), "measure", at: path)
      return count
    }
  }

  /// Whether requests bypass the page cache of the file below.
  package func usesDirectIO() throws(HostError) -> Bool {
    try withOpen { device throws(HostError) in
      var isReadOnly: Int32 = 0
      var isDirect: Int32 = 0
      try check(clinux_loop_status(device, &isReadOnly, &isDirect), "ask", at: path)
      return isDirect != 0
    }
  }

  /// Takes over the size that the file has now.
  package func updateCapacity() throws(HostError) {
    try withOpen { device throws(HostError) in
      _ = try check(clinux_loop_set_capacity(device), "take over the size of the file", at: path)
    }
  }

  /// Detaches the file. False if somebody has the device open, and its last close will detach it;
  /// passing openers (a child between fork and exec, udev) are waited for up to 200 ms. A device
  /// that has no file is no error.
  @discardableResult
  package func detach() throws(HostError) -> Bool {
    try withOpen { device throws(HostError) in
      guard clinux_loop_clear(device) != 0, errno != ENXIO else { return }
      throw HostError(operation: "detach", path: path, errorNumber: errno)
    }
    for _ in 0..<100 {
      if backingFile == nil { return true }
      usleep(2000)
    }
    return false
  }

  /// False if somebody else was faster.
  private func configure(
    _ backing: Int32, _ file: String, isReadOnly: Bool, blockByteCount: Int
  ) throws(HostError) -> Bool {
    let device = try openDevice(isReadOnly ? O_RDONLY : O_RDWR)
    defer { close(device) }
    for isDirect: Int32 in [1, 0] {
      let result = clinux_loop_configure(
        device, backing, UInt32(blockByteCount), isReadOnly ? 1 : 0, isDirect, file)
      if result == 0 { return true }
      if errno == EBUSY { return false }
      // EINVAL: the file system below cannot do direct I/O of this block size.
      guard isDirect == 1, errno == EINVAL else { break }
    }
    throw HostError(operation: "attach \(file)", path: path, errorNumber: errno)
  }

  private func withOpen<Result>(
    _ body: (Int32) throws(HostError) -> Result
  ) throws(HostError) -> Result {
    let device = try openDevice(O_RDONLY)
    defer { close(device) }
    return try body(device)
  }

  private func openDevice(_ flags: Int32) throws(HostError) -> Int32 {
    try check(open(path, flags | O_CLOEXEC), "open the loop device", at: path)
  }
}
