import GRPC
import Glibc
import Testing

@Suite(.serialized) struct LoadTests {
  /// Calls in all; GALLEONFS_LOAD_CALLS sets another number (100000 for the long run).
  private static let callCount =
    getenv("GALLEONFS_LOAD_CALLS").flatMap { Int(String(cString: $0)) } ?? 10_000
  private static let callerCount = 64
  /// What the C core and the allocator may keep for reuse.
  private static let slackByteCount = 16 << 20

  @Test func `many calls from many callers keep memory flat`() async throws {
    try await withPair(try Pair()) { pair in
      try await call(pair.channel, count: 2000)
      let before = try residentByteCount()
      try await call(pair.channel, count: Self.callCount)
      let after = try residentByteCount()
      #expect(after - before < Self.slackByteCount, "\(before) bytes became \(after)")
    }
  }

  @Test func `channels and servers that come and go leave no thread and no descriptor`()
    async throws
  {
    func round() async throws {
      try await withPair(try Pair()) { pair in
        _ = try await pair.channel.unary(path("Echo"), [1])
      }
    }
    for _ in 0..<20 { try await round() }
    let before = try threadCount()
    for _ in 0..<50 { try await round() }
    // Other tests run beside this one, and ended queues' threads take a moment.
    #expect(try threadCount() < before + 40)
  }

  private func call(_ channel: GRPCChannel, count: Int) async throws {
    let message = [UInt8](repeating: 5, count: 1000)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for caller in 0..<Self.callerCount {
        let share = count / Self.callerCount + (caller < count % Self.callerCount ? 1 : 0)
        group.addTask {
          for _ in 0..<share {
            let reply = try await channel.unary(
              path("Echo"), message, options: CallOptions(metadata: ["x-a": "b"]))
            guard reply.message == message else { throw TestFailure("another message came back") }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func residentByteCount() throws -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { throw TestFailure("no statm") }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard fgets(&text, 128, file) != nil else { throw TestFailure("empty statm") }
    let fields = String(decoding: text.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
      separator: " ")
    return (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  private func threadCount() throws -> Int {
    guard let directory = opendir("/proc/self/task") else { throw TestFailure("no task") }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return count - 2
  }
}
