import Glibc
import Testing

@testable import LinuxHost

@Suite(.serialized) struct DeviceTests {
  @Test func `a file is attached with direct I/O, found, grown and detached`() throws {
    try withTemporaryDirectory { directory in
      let file = directory + "/image"
      try makeFile(file, byteCount: 8 << 20)
      let device = try LoopDevice.attach(file, isReadOnly: false)
      #expect(try LoopDevice.attached(to: file) == [device])
      #expect(device.backingFile == file)
      #expect(try device.byteCount() == 8 << 20)
      _ = try device.usesDirectIO()
      truncate(file, 12 << 20)
      try device.updateCapacity()
      #expect(try device.byteCount() == 12 << 20)
      #expect(try device.detach())
      #expect(try LoopDevice.attached(to: file).isEmpty)
      #expect(try device.detach())
    }
  }

  @Test func `a read-only device takes no writes`() throws {
    try withTemporaryDirectory { directory in
      let file = directory + "/image"
      try makeFile(file, byteCount: 1 << 20)
      let device = try LoopDevice.attach(file, isReadOnly: true)
      defer { _ = try? device.detach() }
      let descriptor = open(device.path, O_RDWR)
      #expect(descriptor < 0 || Glibc.write(descriptor, "x", 1) < 0)
      if descriptor >= 0 { close(descriptor) }
    }
  }

  @Test func `a file that does not exist cannot be attached`() {
    #expect(errorNumber { _ = try LoopDevice.attach("/tmp/absent", isReadOnly: false) } == ENOENT)
  }

  @Test(arguments: DeviceFileSystem.allCases)
  func `a file system is made, recognised, mounted and grown`(_ type: DeviceFileSystem) throws {
    try withTemporaryDirectory { directory in
      let (file, target) = (directory + "/image", directory + "/target")
      try makeFile(file, byteCount: 320 << 20)
      try HostFiles.makeDirectory(target)
      let device = try LoopDevice.attach(file, isReadOnly: false)
      defer { _ = try? device.detach() }
      #expect(try DeviceFileSystem.probe(device.path) == .nothing)
      try type.make(on: device.path)
      #expect(try DeviceFileSystem.probe(device.path) == .fileSystem(type.rawValue))
      try type.check(device.path)
      try Mounts.mount(
        source: device.path, at: target, type: type.rawValue, options: MountOptions())
      let before = try HostFiles.space(at: target).totalBytes
      let growsMounted = try type == .xfs || mayResizeMounted()
      if !growsMounted { try Mounts.unmount(target) }
      truncate(file, 480 << 20)
      try device.updateCapacity()
      if growsMounted {
        try type.grow(device: device.path, mountedAt: target)
      } else {
        try type.growUnmounted(device: device.path)
        try Mounts.mount(
          source: device.path, at: target, type: type.rawValue, options: MountOptions())
      }
      #expect(try HostFiles.space(at: target).totalBytes > before + (100 << 20))
      try Mounts.unmount(target)
    }
  }
}

/// Whether this process has CAP_SYS_RESOURCE, which ext4 asks for when it grows while mounted.
private func mayResizeMounted() throws -> Bool {
  let status = String(decoding: try HostFiles.contents(of: "/proc/self/status"), as: UTF8.self)
  let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
  let mask = line.flatMap { UInt64($0.dropFirst(7).drop { $0 == "\t" }, radix: 16) } ?? 0
  return mask & 1 << 24 != 0
}

@Suite struct ProcessTests {
  @Test func `a program's output and end are reported`() throws {
    let result = try ChildProcess.run("sh", ["-c", "echo out; echo err >&2; exit 3"])
    #expect(result.status == .exited(3))
    #expect(result.outputText == "out\n")
    #expect(result.message == "err")
    #expect(
      result.error("try", path: "/p").description == "cannot try at /p: sh: exit code 3: err")
  }

  @Test func `a program that takes too long is killed`() throws {
    let result = try ChildProcess.run("sleep", ["100"], timeout: .milliseconds(50))
    #expect(result.status == .timedOut)
  }

  @Test func `endless output is bounded`() throws {
    let result = try ChildProcess.run("sh", ["-c", "head -c 1000000 /dev/zero"])
    #expect(result.status == .exited(0))
    #expect(result.output.count == ChildProcess.maximumOutputByteCount)
  }

  @Test func `a missing program names its package`() {
    let error = #expect(throws: HostError.self) { try ChildProcess.locate("galleon-absent") }
    #expect(error?.errorNumber == ENOENT)
  }

  @Test func `a lock is exclusive and goes with its holder`() throws {
    try withTemporaryDirectory { directory in
      let path = directory + "/lock"
      do {
        let first = try FileLock(path)
        let second = try FileLock(path)
        let found = (exists(first), exists(second))
        #expect(found == (true, false))
      }
      let third = try FileLock(path)
      let isFree = exists(third)
      #expect(isFree)
    }
  }
}
