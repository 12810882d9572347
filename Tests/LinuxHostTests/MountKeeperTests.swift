import Glibc
import Testing

@testable import LinuxHost

/// The keeper in a process of its own.
@Suite(.serialized) struct MountKeeperTests {
  @Test(arguments: [
    KeeperMessage.store(name: "a", metadata: [1, 2, 3]), .store(name: "a", metadata: []),
    .fetch(name: "volume/1"), .list, .drop(name: "b"), .stop,
  ])
  func `a message survives its bytes, and no part of it is taken for one`(
    _ message: KeeperMessage
  ) {
    let bytes = message.bytes
    #expect(KeeperMessage(bytes: bytes) == message)
    for count in 0..<KeeperMessage.headByteCount {
      #expect(KeeperMessage(bytes: Array(bytes[..<count])) == nil)
    }
    for index in 0..<KeeperMessage.headByteCount where index != 5 {
      var changed = bytes
      changed[index] ^= 0x80
      #expect(KeeperMessage(bytes: changed) != message)
    }
  }

  @Test func `a descriptor is kept, fetched, listed and dropped`() throws {
    try withKeeper { client in
      #expect(try client.names() == [])
      var ends: [Int32] = [0, 0]
      try check(pipe(&ends), "make a pipe")
      try client.store("volume-1", descriptor: ends[0], metadata: [7, 8])
      close(ends[0])
      #expect(try client.names() == ["volume-1"])
      try check(Glibc.write(ends[1], "x", 1), "write")

      let kept = try #require(try client.fetch("volume-1"))
      #expect(kept.metadata == [7, 8])
      var byte: UInt8 = 0
      #expect(read(kept.descriptor, &byte, 1) == 1)
      #expect(byte == UInt8(ascii: "x"))
      close(kept.descriptor)

      #expect(errorNumber { try client.stop() } == EBUSY)
      try client.drop("volume-1")
      try client.drop("volume-1")
      #expect(try client.fetch("volume-1") == nil)
      close(ends[1])
    }
  }

  @Test func `what is no request is refused, and the keeper goes on`() throws {
    try withKeeper { client in
      for bytes: [UInt8] in [
        [1], Array("GFMK".utf8) + [1, 9, 0, 0], [UInt8](repeating: 0, count: 4000),
      ] {
        let socket = try PacketSocket.connected(to: client.socketPath)
        try socket.send(bytes)
        guard let answer = try socket.receive(maximumByteCount: 100) else { continue }
        let status = answer.bytes
        #expect(status == [KeeperStatus.invalid.rawValue])
      }
      #expect(errorNumber { try client.store("", descriptor: 0, metadata: []) } == EMSGSIZE)
      #expect(client.isServing)
    }
  }

  @Test func `its socket is private, and a second keeper is refused`() throws {
    try withKeeper { client in
      var status = stat()
      try check(stat(client.socketPath, &status), "look")
      #expect(status.st_mode & 0o777 == 0o600)
      let second = try ChildProcess.run(Self.program, ["--socket", client.socketPath])
      #expect(second.status == .exited(1))
      #expect(second.message.contains("another keeper serves there"))
    }
  }

  @Test func `wrong arguments show how it is used`() throws {
    #expect(try ChildProcess.run(Self.program, []).status == .exited(2))
    let help = try ChildProcess.run(Self.program, ["--help"])
    #expect(help.status == .exited(0))
    #expect(help.outputText.contains("--socket PATH"))
  }

  @Test func `it starts when needed, ignores SIGTERM, and stops when empty`() throws {
    try withTemporaryDirectory { directory in
      let client = MountKeeperClient(socketPath: directory + "/keeper.sock")
      #expect(!client.isServing)
      try client.start(program: Self.program)
      try client.start(program: Self.program)
      #expect(client.isServing)
      try client.stop()
      #expect(!client.isServing)
    }
  }

  /// Beside the test program.
  private static var program: String {
    guard let path = realpath("/proc/self/exe", nil) else { return "" }
    defer { free(path) }
    return HostFiles.parentPath(String(cString: path)) + "/galleonfs-mountkeeper"
  }

  private func withKeeper(_ body: (MountKeeperClient) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      let client = MountKeeperClient(socketPath: directory + "/keeper.sock")
      try client.start(program: Self.program)
      defer {
        for name in (try? client.names()) ?? [] { try? client.drop(name) }
        try? client.stop()
      }
      try body(client)
    }
  }
}
