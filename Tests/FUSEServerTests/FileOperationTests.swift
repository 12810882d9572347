import FUSEServer
import Glibc
import StorageModel
import Testing

/// Every operation through a real mount.
@Suite(.serialized) struct FileOperationTests {
  @Test(arguments: [CachingRegime.exclusive, .shared])
  func `what was written is read back after all caches are dropped`(_ regime: CachingRegime) throws
  {
    try MountedMemory.with(regime) { mounted in
      for count in [0, 1, 4095, 4096, 4097, 1 << 20, 3 << 20 | 17] {
        let path = mounted.path("file\(count)")
        let bytes = pattern(count)
        try writeFile(path, bytes)
        let inode = InodeNumber(UInt64(try status(path).st_ino))
        mounted.session.invalidate(inode: inode)
        #expect(try readFile(path) == bytes)
        #expect(try status(path).st_size == count)
      }
    }
  }

  @Test func `a mount shows its name and type in the mount table`() throws {
    try MountedMemory.with { mounted in
      let table = String(decoding: try readFile("/proc/self/mounts"), as: UTF8.self)
      let line = table.split(separator: "\n").first { $0.contains(mounted.directory) }
      #expect(line?.hasPrefix("galleonfs \(mounted.directory) fuse.galleonfs rw") == true)
      #expect(line?.contains("default_permissions") == true)
    }
  }

  @Test func `names are made, linked, renamed and removed`() throws {
    try MountedMemory.with { mounted in
      let (a, b, d) = (mounted.path("a"), mounted.path("b"), mounted.path("d"))
      try writeFile(a, [1])
      try check(link(a, b))
      #expect(try status(a).st_nlink == 2)
      try check(unlink(a))
      #expect(failure { try status(a) } == ENOENT)
      try check(mkdir(d, 0o750))
      #expect(try status(d).st_mode & 0o7777 == 0o750)
      try check(rename(b, d + "/c"))
      #expect(failure { try check(rmdir(d)) } == ENOTEMPTY)
      #expect(try readFile(d + "/c") == [1])
      try check(symlink("d/c", a))
      #expect(try readFile(a) == [1])
      try check(mkfifo(b, 0o600))
      #expect(try status(b).st_mode & S_IFMT == S_IFIFO)
      #expect(try Set(listing(mounted.directory)) == [".", "..", "a", "b", "d"])
      try check(unlink(d + "/c"))
      try check(rmdir(d))
    }
  }

  @Test func `rename honours its flags`() throws {
    try MountedMemory.with { mounted in
      let (a, b) = (mounted.path("a"), mounted.path("b"))
      try writeFile(a, [1])
      try writeFile(b, [2])
      #expect(failure { try check(renameat2(a, b, 1)) } == EEXIST)
      try check(renameat2(a, b, 2))
      #expect(try readFile(a) == [2])
      #expect(try readFile(b) == [1])
    }
  }

  @Test func `attributes are changed`() throws {
    try MountedMemory.with { mounted in
      let path = mounted.path("file")
      try writeFile(path, pattern(100))
      try check(chmod(path, 0o4755))
      try check(chown(path, 5, 6))
      var times = (timespec(tv_sec: 7, tv_nsec: 8), timespec(tv_sec: 9, tv_nsec: 10))
      try withUnsafeBytes(of: &times) {
        let times = $0.baseAddress?.assumingMemoryBound(to: timespec.self)
        _ = try check(utimensat(AT_FDCWD, path, times, 0))
      }
      try check(truncate(path, 50))
      let file = try check(open(path, O_RDWR))
      try check(ftruncate(file, 60))
      close(file)
      let result = try status(path)
      #expect(result.st_mode & 0o7777 == 0o755)
      #expect((result.st_uid, result.st_gid) == (5, 6))
      #expect((result.st_atim.tv_sec, result.st_atim.tv_nsec) == (7, 8))
      #expect(result.st_size == 60)
    }
  }

  @Test func `extended attributes are set, read, listed and removed`() throws {
    try MountedMemory.with { mounted in
      let path = mounted.path("file")
      try writeFile(path, [])
      let value = pattern(300)
      try check(setxattr(path, "user.one", value, value.count, 0))
      #expect(failure { try check(setxattr(path, "user.one", value, 1, 1)) } == EEXIST)
      #expect(failure { try check(setxattr(path, "user.two", value, 1, 2)) } == ENODATA)
      #expect(getxattr(path, "user.one", nil, 0) == 300)
      var found = [UInt8](repeating: 0, count: 400)
      #expect(getxattr(path, "user.one", &found, 400) == 300)
      #expect(Array(found[..<300]) == value)
      #expect(failure { try check(getxattr(path, "user.one", &found, 10)) } == ERANGE)
      #expect(listxattr(path, nil, 0) == 9)
      try check(removexattr(path, "user.one"))
      #expect(failure { try check(getxattr(path, "user.one", nil, 0)) } == ENODATA)
    }
  }

  @Test func `space is allocated, holes are punched and sought`() throws {
    try MountedMemory.with { mounted in
      let file = try check(open(mounted.path("file"), O_CREAT | O_RDWR, 0o600))
      defer { close(file) }
      try check(fallocate(file, 0, 0, 10_000))
      #expect(lseek(file, 0, SEEK_END) == 10_000)
      try check(pwrite(file, pattern(10_000), 10_000, 0))
      try check(fallocate(file, 3, 100, 50))
      var found = [UInt8](repeating: 1, count: 52)
      try check(pread(file, &found, 52, 99))
      #expect(found[1...50].allSatisfy { $0 == 0 })
      #expect(lseek(file, 5, 3) == 5)
      #expect(lseek(file, 5, 4) == 10_000)
      #expect(failure { try check(lseek(file, 20_000, 3)) } == ENXIO)
      #expect(failure { try check(fallocate(file, 8, 0, 4096)) } == EOPNOTSUPP)
    }
  }

  @Test func `a file without a name can be written and linked`() throws {
    try MountedMemory.with { mounted in
      let temporary = O_RDWR | 0o20_200000
      let file = try check(open(mounted.directory, temporary, 0o600))
      try check(pwrite(file, pattern(5000), 5000, 0))
      try check(linkat(file, "", AT_FDCWD, mounted.path("named"), 0x1000))
      close(file)
      #expect(try readFile(mounted.path("named")) == pattern(5000))
    }
  }

  @Test func `statistics, sync and mapped memory work`() throws {
    try MountedMemory.with { mounted in
      var statistics = statvfs()
      try check(statvfs(mounted.directory, &statistics))
      #expect(statistics.f_blocks == 1 << 20)
      #expect(statistics.f_namemax == 255)
      let file = try check(open(mounted.path("file"), O_CREAT | O_RDWR, 0o600))
      defer { close(file) }
      try check(ftruncate(file, 8192))
      let memory = mmap(nil, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
      memory?.storeBytes(of: 77, toByteOffset: 5000, as: UInt8.self)
      try check(msync(memory, 8192, MS_SYNC))
      munmap(memory, 8192)
      try check(fsync(file))
      #expect(try readFile(mounted.path("file"))[5000] == 77)
      let directory = try check(open(mounted.directory, O_RDONLY | O_DIRECTORY))
      defer { close(directory) }
      try check(fsync(directory))
    }
  }

  @Test(arguments: [0, 1, 500, 5000])
  func `a directory of any size is listed whole`(_ count: Int) throws {
    try MountedMemory.with { mounted in
      for index in 0..<count { try writeFile(mounted.path("name-\(index)"), []) }
      let names = try listing(mounted.directory)
      #expect(names.count == count + 2)
      #expect(Set(names).count == count + 2)
    }
  }

  @Test func `names that are too long and files that are not there are errors`() throws {
    try MountedMemory.with { mounted in
      let long = mounted.path(String(repeating: "x", count: 256))
      #expect(failure { try writeFile(long, []) } == ENAMETOOLONG)
      // The second time, the kernel knows.
      #expect(failure { try readFile(mounted.path("absent")) } == ENOENT)
      #expect(failure { try readFile(mounted.path("absent")) } == ENOENT)
      #expect(mounted.session.requestTotals["lookup"] == 2)
    }
  }

  @Test func `a read-only mount refuses changes`() throws {
    try MountedMemory.with(readOnly: true) { mounted in
      #expect(failure { try writeFile(mounted.path("a"), []) } == EROFS)
      let names = try listing(mounted.directory)
      #expect(names.count == 2)
    }
  }
}

/// Encoders for what libfuse does not encode.
struct EncoderTests {
  @Test(arguments: [false, true])
  func `entries are added as long as they fit, each at a multiple of eight bytes`(
    _ includesAttributes: Bool
  ) {
    let perEntry = (includesAttributes ? 128 : 0) + 32
    for capacity in [0, perEntry - 1, perEntry, perEntry + 1, 3 * perEntry] {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8)
      defer { buffer.deallocate() }
      var encoder = DirectoryEncoder(buffer, includesAttributes: includesAttributes)
      let attributes = WatchingHandler.attributes(77, .regular)
      var count = 0
      let name = Array("abc".utf8)
      while name.withUnsafeBytes({
        encoder.add(name: $0, attributes: attributes, validity: .long, nextPosition: 5)
      }) { count += 1 }
      #expect(count == capacity / perEntry)
      #expect(encoder.bytes.count == count * perEntry)
      guard count > 0 else { continue }
      let head = perEntry - 32
      #expect(encoder.bytes.load(fromByteOffset: head, as: UInt64.self) == 77)
      #expect(encoder.bytes.load(fromByteOffset: head + 8, as: UInt64.self) == 5)
      #expect(encoder.bytes.load(fromByteOffset: head + 16, as: UInt32.self) == 3)
      #expect(encoder.bytes.load(fromByteOffset: head + 20, as: UInt32.self) == 8)
      #expect(Array(encoder.bytes[head + 24..<head + 27]) == name)
    }
  }

  @Test func `a request's number is the same when it is sent again`() {
    let first = RequestIdentity(unique: 1234)
    let again = RequestIdentity(unique: 1234 | 1 << 63)
    #expect(first.number == again.number)
    #expect(!first.isResend)
    #expect(again.isResend)
  }
}
