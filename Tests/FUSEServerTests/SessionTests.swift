import FUSEServer
import Glibc
import MemoryFileSystem
import StorageModel
import Synchronization
import Testing

/// A session's life: mounting, serving from several threads, unmounting, handing over.
@Suite(.serialized) struct SessionTests {
  @Test func `a mount point that does not exist is refused with its path`() throws {
    let error = #expect(throws: FUSEError.self) {
      try FUSESession(
        mountingAt: "/tmp/galleon-fuse-absent", handler: MemoryFileSystem(),
        configuration: SessionConfiguration(regime: .exclusive))
    }
    #expect(error?.errorNumber == ENOENT)
    #expect(error?.description.contains("/tmp/galleon-fuse-absent") == true)
  }

  @Test func `a busy file system is unmounted lazily, or not at all`() throws {
    let mounted = try MountedMemory()
    defer { mounted.unmount() }
    let file = try check(open(mounted.path("file"), O_CREAT | O_RDWR, 0o600))
    let error = #expect(throws: FUSEError.self) { try mounted.session.unmount() }
    #expect(error?.errorNumber == EBUSY)
    try check(write(file, [UInt8]([1, 2, 3]), 3))
    try mounted.session.unmount(lazily: true)
    try check(write(file, [UInt8]([4]), 1))
    try check(fsync(file))
    close(file)
    mounted.session.waitUntilUnmounted()
    #expect(mounted.files.inodeCount == 2)
  }

  @Test func `the handler learns of the unmount once`() throws {
    let directory = try makeTemporaryDirectory()
    defer { rmdir(directory) }
    let watcher = WatchingHandler()
    let session = try FUSESession(
      mountingAt: directory, handler: watcher,
      configuration: SessionConfiguration(regime: .shared, readerThreadCount: 3))
    try session.start()
    try session.unmount()
    session.waitUntilUnmounted()
    #expect(watcher.unmountCount == 1)
    session.close()
  }

  @Test func `many threads read and write at once`() throws {
    try MountedMemory.with(readers: 4) { mounted in
      let failures = Atomic<Int>(0)
      var threads: [pthread_t] = []
      for index in 0..<8 {
        threads.append(
          makeThread {
            let path = mounted.path("file\(index)")
            for round in 0..<20 {
              let bytes = pattern(100_000 + index, seed: UInt64(round))
              do {
                try writeFile(path, bytes)
                if try readFile(path) != bytes { failures.add(1, ordering: .relaxed) }
                try check(unlink(path))
              } catch {
                failures.add(1, ordering: .relaxed)
              }
            }
          })
      }
      for thread in threads { pthread_join(thread, nil) }
      #expect(failures.load(ordering: .relaxed) == 0)
    }
  }

  @Test func `answers may come later and from another thread`() throws {
    let directory = try makeTemporaryDirectory()
    let handler = LateHandler()
    let session = try FUSESession(
      mountingAt: directory, handler: handler,
      configuration: SessionConfiguration(regime: .shared, readerThreadCount: 1))
    try session.start()
    defer {
      umount2(directory, Int32(MNT_DETACH))
      session.close()
      rmdir(directory)
    }
    #expect(try status(directory + "/late").st_ino == 42)
    #expect(failure { try status(directory + "/dropped") } == EIO)
    handler.join()
    session.handOver()
    #expect(session.outstandingRequestCount == 0)
  }

  @Test func `stateless opens reach the handler no more`() throws {
    try MountedMemory.with(stateless: true) { mounted in
      let path = mounted.path("file")
      try writeFile(path, pattern(10))
      for _ in 0..<10 { #expect(try readFile(path) == pattern(10)) }
      try writeFile(path, pattern(5), flags: O_WRONLY | O_TRUNC)
      #expect(try readFile(path) == pattern(5))
      _ = try listing(mounted.directory)
      _ = try listing(mounted.directory)
      #expect(mounted.session.requestTotals["open", default: 0] <= 1)
      #expect(mounted.session.requestTotals["opendir", default: 0] <= 1)
      // That of the create, before the kernel learned of it.
      #expect(mounted.session.requestTotals["release", default: 0] <= 1)
    }
  }

  @Test func `another session takes a mount over with its open files`() throws {
    let mounted = try MountedMemory()
    defer { mounted.unmount() }
    let file = try check(open(mounted.path("file"), O_CREAT | O_RDWR, 0o600))
    try check(write(file, [UInt8]([1, 2, 3]), 3))
    let descriptor = try check(dup(mounted.session.deviceDescriptor))
    let bytes = mounted.session.negotiated.bytes
    mounted.session.handOver()
    mounted.session.close()

    let negotiated = try #require(NegotiatedSession(bytes: bytes))
    let next = try FUSESession(
      adopting: descriptor, negotiated: negotiated, handler: mounted.files,
      configuration: SessionConfiguration(regime: .shared))
    try next.start()
    #expect(next.resendPending())
    try check(pwrite(file, [UInt8]([4]), 1, 3))
    try check(fsync(file))
    close(file)
    #expect(next.negotiated.regime == .exclusive)
    next.invalidate(inode: InodeNumber(2))
    let found = try readFile(mounted.path("file"))
    #expect(found == [1, 2, 3, 4])
    try check(umount2(mounted.directory, 0))
    next.waitUntilUnmounted()
  }

  @Test func `only what a session stored is taken for a negotiated session`() {
    let session = NegotiatedSession(
      regime: .exclusive, isReadOnly: false, opensAreStateless: true, invalidatesExplicitly: false,
      initRequest: pattern(104), initReply: pattern(80))
    #expect(NegotiatedSession(bytes: session.bytes) == session)
    for count in 0..<session.bytes.count {
      #expect(NegotiatedSession(bytes: Array(session.bytes[..<count])) == nil)
    }
  }
}
