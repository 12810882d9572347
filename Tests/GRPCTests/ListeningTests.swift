import GRPC
import Glibc
import Testing

@Suite struct ListeningTests {
  @Test(arguments: [0o600, 0o660] as [UInt32])
  func `a Unix socket has the mode that was asked for, and nothing is left beside it`(
    mode: UInt32
  ) async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("socket")
    let server = try GRPCServer(
      listeningOn: [.unix(path: path, mode: mode)], router: makeTestRouter())
    var status = stat()
    #expect(lstat(path, &status) == 0)
    #expect(status.st_mode == S_IFSOCK | mode)
    #expect(try names(in: directory.path) == ["socket"])
    await server.shutdown()
    #expect(try names(in: directory.path) == [])
  }

  @Test func `a socket that nobody listens on is replaced`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("socket")
    try makeStaleSocket(path)
    let server = try GRPCServer(listeningOn: [.unix(path: path)], router: makeTestRouter())
    let channel = try GRPCChannel(to: .unix(path: path))
    #expect(try await channel.unary(GRPCTests.path("Echo"), [1]).message == [1])
    await server.shutdown()
  }

  @Test func `a socket that answers is refused and goes on answering`() async throws {
    try await withPair(try Pair()) { pair in
      let status = await status {
        _ = try GRPCServer(
          listeningOn: [.address(pair.channel.address)], router: makeTestRouter())
      }
      #expect(status?.code == .alreadyExists)
      let reply = try await pair.channel.unary(path("Echo"), [1])
      #expect(reply.message == [1])
    }
  }

  @Test func `a file in the socket's place is refused and kept`() async throws {
    let directory = try TemporaryDirectory()
    try run("touch", directory.file("socket"))
    let status = await status {
      _ = try GRPCServer(
        listeningOn: [.unix(path: directory.file("socket"))], router: makeTestRouter())
    }
    #expect(status?.code == .alreadyExists)
    #expect(try names(in: directory.path) == ["socket"])
  }

  @Test(arguments: ["/nowhere/at/all/socket", "/tmp/" + String(repeating: "x", count: 110)])
  func `a path that cannot hold a socket is refused`(path: String) async throws {
    let status = await status {
      _ = try GRPCServer(listeningOn: [.unix(path: path)], router: makeTestRouter())
    }
    #expect(status?.code == .unavailable || status?.code == .invalidArgument)
    #expect(status?.message.contains(path) == true)
  }

  @Test func `a path with spaces and percent signs works`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("so cket%20ü")
    let server = try GRPCServer(listeningOn: [.unix(path: path)], router: makeTestRouter())
    let channel = try GRPCChannel(to: .unix(path: path))
    #expect(try await channel.unary(GRPCTests.path("Echo"), [1]).message == [1])
    await server.shutdown()
  }

  @Test(arguments: ["127.0.0.1", "localhost"])
  func `a TCP port is chosen and told`(host: String) async throws {
    let server = try GRPCServer(
      listeningOn: [.tcp(host: host, port: 0)], router: makeTestRouter())
    let channel = try GRPCChannel(to: server.addresses[0])
    #expect(try await channel.unary(path("Echo"), [1]).message == [1])
    await server.shutdown()
  }

  @Test func `a TCP port in use is refused`() async throws {
    let server = try GRPCServer(
      listeningOn: [.tcp(host: "127.0.0.1", port: 0)], router: makeTestRouter())
    let status = await status {
      _ = try GRPCServer(listeningOn: [.address(server.addresses[0])], router: makeTestRouter())
    }
    #expect(status?.code == .alreadyExists)
    await server.shutdown()
  }

  @Test(arguments: [
    ("unix:///run/a.sock", TransportAddress.unix(path: "/run/a.sock")),
    ("unix:a.sock", .unix(path: "a.sock")), ("/run/a", .unix(path: "/run/a")),
    ("127.0.0.1:80", .tcp(host: "127.0.0.1", port: 80)), ("[::1]:80", .tcp(host: "::1", port: 80)),
  ])
  func `addresses are read`(text: String, address: TransportAddress) {
    #expect(TransportAddress(text) == address)
  }

  @Test(arguments: [
    "", "unix:", "unix://", "host", "host:", "host:65536", "::1:80", ":80", "a/b:1",
  ])
  func `what is no address is refused`(text: String) {
    #expect(TransportAddress(text) == nil)
  }

  private func names(in directory: String) throws -> [String] {
    guard let stream = opendir(directory) else { throw TestFailure("opendir") }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private func makeStaleSocket(_ path: String) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw TestFailure("bind: errno \(errno)") }
  }
}
