import FUSEServer
import Glibc
import MemoryFileSystem
import StorageModel
import Synchronization
import Testing

/// A daemon that is killed in the middle of a write, in a process of its own.
@Suite(.serialized) struct TakeoverTests {
  @Test(arguments: [CachingRegime.exclusive, .shared])
  func `a writer whose daemon is killed waits for the next one and sees no error`(
    _ regime: CachingRegime
  ) throws {
    let directory = try makeTemporaryDirectory()
    defer { rmdir(directory) }
    let daemon = try StallingDaemon(mountingAt: directory, regime)
    defer { umount2(directory, Int32(MNT_DETACH)) }

    // The write (or the write-back of the sync) is read by the first daemon and never answered.
    let outcome = Mutex<Result<Void, any Error>?>(nil)
    let writer = makeThread {
      let result = Result { try Self.writeAndSync(directory + "/stall") }
      outcome.withLock { $0 = result }
    }
    try daemon.waitUntilStalled()
    try daemon.kill()
    #expect(outcome.withLock { $0 == nil })

    let handler = StallingHandler(stalls: false)
    let negotiated = try #require(NegotiatedSession(bytes: daemon.negotiated))
    let next = try FUSESession(
      adopting: daemon.takeDescriptor(), negotiated: negotiated, handler: handler,
      configuration: SessionConfiguration(regime: regime))
    try next.start()
    #expect(next.resendPending())
    pthread_join(writer, nil)
    try outcome.withLock { try $0?.get() }
    #expect(handler.resentNumbers.count == 1)
    #expect(handler.data.prefix(5000) == pattern(5000)[...])
    try check(umount2(directory, 0))
    next.waitUntilUnmounted()
  }

  private static func writeAndSync(_ path: String) throws {
    let file = try check(open(path, O_RDWR))
    defer { close(file) }
    #expect(try check(write(file, pattern(5000), 5000)) == 5000)
    try check(fsync(file))
  }

  /// The first daemon: this very test, run again in a child process.
  @Test(.enabled(if: StallingDaemon.isChild))
  func `serves as the daemon that will be killed`() throws {
    try StallingDaemon.serveAsChild()
  }
}
