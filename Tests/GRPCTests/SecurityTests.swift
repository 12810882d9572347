import GRPC
import Testing

@Suite struct SecurityTests {
  @Test func `TLS protects a call to a server whose certificate the root signed`() async throws {
    let authority = try Authority()
    let server = try authority.server(requiringClients: false)
    let channel = try GRPCChannel(
      to: server.addresses[0],
      security: .tls(rootsPEM: try authority.read("root.crt"), serverName: "server.test"))
    #expect(try await channel.unary(path("Echo"), [1]).message == [1])
    await server.shutdown()
  }

  @Test func `a server with another name, or unknown root, or no TLS is not talked to`()
    async throws
  {
    let authority = try Authority()
    let other = try Authority()
    let server = try authority.server(requiringClients: false)
    for security in [
      ClientSecurity.tls(rootsPEM: try authority.read("root.crt"), serverName: "other.test"),
      .tls(rootsPEM: try other.read("root.crt"), serverName: "server.test"), .insecure,
    ] {
      let channel = try GRPCChannel(to: server.addresses[0], security: security)
      let status = await status { _ = try await channel.unary(path("Echo"), [1]) }
      #expect(status?.code == .unavailable)
    }
    await server.shutdown()
  }

  @Test func `with mutual TLS the server knows its client's names`() async throws {
    let authority = try Authority()
    let server = try authority.server(requiringClients: true)
    let roots = try authority.read("root.crt")
    let channel = try GRPCChannel(
      to: server.addresses[0],
      security: .tls(
        rootsPEM: roots, identity: try authority.identity("client"), serverName: "server.test"))
    let reply = try await channel.unary(MethodPath("test.Who", "Am"), [])
    #expect(String(decoding: reply.message, as: UTF8.self) == "client.test client.test")
    await server.shutdown()
  }

  @Test func `with mutual TLS a client without a certificate, or of another root, is refused`()
    async throws
  {
    let authority = try Authority()
    let other = try Authority()
    let server = try authority.server(requiringClients: true)
    let roots = try authority.read("root.crt")
    for identity in [nil, try other.identity("client")] {
      let channel = try GRPCChannel(
        to: server.addresses[0],
        security: .tls(rootsPEM: roots, identity: identity, serverName: "server.test"))
      let status = await status { _ = try await channel.unary(path("Echo"), [1]) }
      #expect(status?.code == .unavailable)
    }
    await server.shutdown()
  }

  @Test(arguments: ["", "no PEM", "-----BEGIN CERTIFICATE-----\n\0-----END CERTIFICATE-----\n"])
  func `what is no PEM is refused with its name`(text: String) async throws {
    let identity = TLSIdentity(certificateChainPEM: bytes(text), privateKeyPEM: bytes(text))
    let listening = await status {
      _ = try GRPCServer(
        listeningOn: [
          .tcp(host: "127.0.0.1", port: 0, security: .tls(identity, clientRootsPEM: nil))
        ], router: makeTestRouter())
    }
    #expect(listening?.code == .invalidArgument)
    #expect(listening?.message.contains("certificate chain") == true)
    let connecting = await status {
      _ = try GRPCChannel(
        to: .tcp(host: "127.0.0.1", port: 1), security: .tls(rootsPEM: bytes(text)))
    }
    #expect(connecting?.code == .invalidArgument)
  }

  @Test func `a certificate that does not fit its key is refused`() async throws {
    let authority = try Authority()
    let identity = TLSIdentity(
      certificateChainPEM: try authority.read("server.crt"),
      privateKeyPEM: try authority.read("client.key"))
    let status = await status {
      _ = try GRPCServer(
        listeningOn: [
          .tcp(host: "127.0.0.1", port: 0, security: .tls(identity, clientRootsPEM: nil))
        ], router: makeTestRouter())
    }
    #expect(status?.code == .unavailable || status?.code == .invalidArgument)
  }

  @Test func `only the bearer of the token is admitted, and anyone asks for health`() async throws {
    var router = makeTestRouter()
    let health = HealthService()
    health.register(in: &router)
    let pair = try Pair(router, interceptors: [.bearerToken { bytes("secret") }])
    try await withPair(pair) { pair in
      for value in [nil, "Bearer wrong!", "Bearer ", "secret", "Bearer secretly"] {
        let metadata: GRPCMetadata = value.map { ["authorization": $0] } ?? [:]
        for method in ["Echo", "Nothing"] {
          let status = await status {
            _ = try await pair.channel.unary(
              path(method), [], options: CallOptions(metadata: metadata))
          }
          #expect(status?.code == .unauthenticated)
        }
      }
      let admitted = try await pair.channel.unary(
        path("Echo"), [1], options: CallOptions(metadata: ["authorization": "Bearer secret"]))
      #expect(admitted.message == [1])
      let status = try await pair.channel.unary(
        MethodPath(HealthService.fullName, "Check"), "", request: HealthService.request,
        response: HealthService.response)
      #expect(status == .notServing)
    }
  }

  @Test func `an empty token admits nobody`() async throws {
    let pair = try Pair(interceptors: [.bearerToken { [] }])
    try await withPair(pair) { pair in
      let status = await status {
        _ = try await pair.channel.unary(
          path("Echo"), [], options: CallOptions(metadata: ["authorization": "Bearer "]))
      }
      #expect(status?.code == .unauthenticated)
    }
  }

  @Test func `an interceptor is told how every call ended`() async throws {
    let witness = Witness()
    let log = ServerInterceptor(finished: { context, status, duration in
      witness.saw("\(context.pathText) \(status.code.name) \(duration > .zero)")
    })
    try await withPair(try Pair(interceptors: [log])) { pair in
      _ = try await pair.channel.unary(path("Echo"), [])
      _ = await status { _ = try await pair.channel.unary(path("Fail"), []) }
      _ = await status { _ = try await pair.channel.unary(path("Nothing"), []) }
      _ = await status {
        _ = try await pair.channel.unary(
          path("Sleep"), [], options: CallOptions(timeout: .seconds(2)))
      }
      await witness.wait(for: 4)
      #expect(
        witness.events.prefix(3) == [
          "/test.Echo/Echo OK true", "/test.Echo/Fail FAILED_PRECONDITION true",
          "/test.Echo/Nothing UNIMPLEMENTED true",
        ])
      // The client's clock may run out first, and its call is gone before the server's does.
      let ends = ["/test.Echo/Sleep DEADLINE_EXCEEDED true", "/test.Echo/Sleep CANCELLED true"]
      #expect(ends.contains(witness.events[3]))
    }
  }
}

/// A certificate authority of its own, with certificates of a server and a client.
private struct Authority {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
      "-nodes", "-days", "2", "-subj", "/CN=root", "-keyout", directory.file("root.key"), "-out",
      directory.file("root.crt"))
    for name in ["server", "client"] {
      try run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "2", "-subj", "/CN=\(name).test", "-addext",
        "subjectAltName=DNS:\(name).test", "-addext", "basicConstraints=CA:FALSE", "-CA",
        directory.file("root.crt"), "-CAkey", directory.file("root.key"), "-keyout",
        directory.file("\(name).key"), "-out", directory.file("\(name).crt"))
    }
  }

  func read(_ name: String) throws -> [UInt8] { try directory.read(name) }

  func identity(_ name: String) throws -> TLSIdentity {
    TLSIdentity(
      certificateChainPEM: try read("\(name).crt"), privateKeyPEM: try read("\(name).key"))
  }

  func server(requiringClients: Bool) throws -> GRPCServer {
    var router = makeTestRouter()
    router.unary("test.Who", "Am", request: .bytes, response: .bytes) { _, context in
      bytes(context.peerIdentities.joined(separator: " "))
    }
    return try GRPCServer(
      listeningOn: [
        .tcp(
          host: "127.0.0.1", port: 0,
          security: .tls(
            try identity("server"), clientRootsPEM: requiringClients ? try read("root.crt") : nil))
      ], router: router)
  }
}
