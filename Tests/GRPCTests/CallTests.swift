import GRPC
import Testing

@Suite struct CallTests {
  @Test(arguments: [0, 1, 31, 32, 4095, 1 << 20])
  func `a unary call returns the bytes that were sent`(count: Int) async throws {
    try await withPair(try Pair()) { pair in
      let message = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
      let reply = try await pair.channel.unary(path("Echo"), message)
      #expect(reply.message == message)
    }
  }

  @Test(arguments: [0, 1, 1000])
  func `a server streams its messages in order`(count: Int) async throws {
    try await withPair(try Pair()) { pair in
      let call = try await pair.channel.serverStreaming(
        path("Count"), bytes("\(count)"), request: .bytes, response: .bytes)
      var received: [String] = []
      for try await message in call.responses {
        received.append(String(decoding: message, as: UTF8.self))
      }
      #expect(received == (0..<count).map(String.init))
    }
  }

  @Test(arguments: [0, 1, 1000])
  func `a client streams its messages in order`(count: Int) async throws {
    try await withPair(try Pair()) { pair in
      let reply = try await pair.channel.clientStreaming(
        path("Join"), request: .bytes, response: .bytes
      ) { call in
        for number in 0..<count { try await call.send([UInt8(truncatingIfNeeded: number)]) }
      }
      #expect(reply == (0..<count).map { UInt8(truncatingIfNeeded: $0) })
    }
  }

  @Test func `both sides talk by turns`() async throws {
    try await withPair(try Pair()) { pair in
      let call = try pair.channel.bidirectional(path("Chat"), request: .bytes, response: .bytes)
      for number: UInt8 in 0..<100 {
        try await call.send([number, 1, 2])
        #expect(try await call.receive() == [2, 1, number])
      }
      try await call.finishSending()
      #expect(try await call.receive() == nil)
      #expect(await call.call.status() == .ok)
    }
  }

  @Test func `several tasks send on one call`() async throws {
    try await withPair(try Pair()) { pair in
      let call = try pair.channel.bidirectional(path("Chat"), request: .bytes, response: .bytes)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number: UInt8 in 0..<50 { group.addTask { try await call.send([number]) } }
        try await group.waitForAll()
      }
      try await call.finishSending()
      var received: Set<[UInt8]> = []
      for try await message in call.responses { received.insert(message) }
      #expect(received.count == 50)
    }
  }

  @Test func `a thrown status arrives with message, details and metadata`() async throws {
    try await withPair(try Pair()) { pair in
      let status = await status {
        _ = try await pair.channel.unary(path("Fail"), bytes("Grüße\n%"))
      }
      #expect(status?.code == .failedPrecondition)
      #expect(status?.message == "Grüße\n%")
      #expect(status?.details == [1, 0, 255])
      #expect(status?.metadata.text("x-hint") == "later")
    }
  }

  @Test func `an error that is no status is answered as unknown with its text`() async throws {
    try await withPair(try Pair()) { pair in
      let status = await status { _ = try await pair.channel.unary(path("Throw"), []) }
      #expect(status?.code == .unknown)
      #expect(status?.message == "handler's own error")
    }
  }

  @Test(arguments: [MethodPath("test.Echo", "Nothing"), MethodPath("none.Such", "Echo")])
  func `an unknown method is unimplemented`(method: MethodPath) async throws {
    try await withPair(try Pair()) { pair in
      let status = await status { _ = try await pair.channel.unary(method, []) }
      #expect(status?.code == .unimplemented)
      #expect(status?.message.contains(method.description) == true)
    }
  }

  @Test func `a malformed request is an invalid argument, a malformed answer internal`()
    async throws
  {
    try await withPair(try Pair()) { pair in
      let refused = await status { _ = try await pair.channel.unary(path("Strict"), [0xFF]) }
      #expect(refused?.code == .invalidArgument)
      #expect(refused?.message.contains("/test.Echo/Strict") == true)
      let garbled = await status {
        _ = try await pair.channel.unary(
          path("Echo"), [0xFF], request: .bytes, response: .strictText)
      }
      #expect(garbled?.code == .internal)
    }
  }

  @Test func `a unary method that gets no message refuses`() async throws {
    try await withPair(try Pair()) { pair in
      let call = try pair.channel.startCall(path("Echo"))
      try await call.finishSending()
      let status = await status { _ = try await call.receive() }
      #expect(status?.code == .invalidArgument)
    }
  }

  @Test func `metadata travels both ways, text and bytes`() async throws {
    try await withPair(try Pair()) { pair in
      var metadata: GRPCMetadata = ["x-name": "value with spaces", "x-twice": "1"]
      metadata.add("x-twice", "2")
      metadata.add("x-data-bin", [0, 10, 13, 255])
      let reply = try await pair.channel.unary(
        path("Echo"), [], options: CallOptions(metadata: metadata))
      #expect(reply.initialMetadata.text("x-name") == "value with spaces")
      #expect(reply.initialMetadata.all("x-twice") == [bytes("1"), bytes("2")])
      #expect(reply.initialMetadata.bytes("x-data-bin") == [0, 10, 13, 255])
      #expect(reply.trailingMetadata.bytes("trailing-x-data-bin") == [0, 10, 13, 255])
    }
  }

  @Test(arguments: [("Upper", "1"), ("with space", "1"), ("x-a", "line\nbreak"), ("", "1")])
  func `metadata that HTTP cannot carry is refused`(key: String, value: String) async throws {
    try await withPair(try Pair()) { pair in
      var metadata = GRPCMetadata()
      metadata.add(key, value)
      let status = await status {
        _ = try await pair.channel.unary(
          path("Echo"), [], options: CallOptions(metadata: metadata))
      }
      #expect(status?.code == .invalidArgument)
    }
  }

  @Test func `messages over the server's or the client's limit exhaust resources`() async throws {
    var serverOptions = ServerOptions()
    serverOptions.maximumReceivedMessageByteCount = 1000
    var channelOptions = ChannelOptions()
    channelOptions.maximumReceivedMessageByteCount = 2000
    channelOptions.maximumSentMessageByteCount = 5000
    let pair = try Pair(serverOptions: serverOptions, channelOptions: channelOptions)
    try await withPair(pair) { pair in
      let allowed = [UInt8](repeating: 1, count: 1000)
      let echo = try await pair.channel.unary(path("Echo"), allowed)
      #expect(echo.message == allowed)
      for count in [1001, 5001] {
        let message = [UInt8](repeating: 1, count: count)
        let tooLong = await status { _ = try await pair.channel.unary(path("Echo"), message) }
        #expect(tooLong?.code == .resourceExhausted)
      }
      let sized = try await pair.channel.unary(path("Size"), bytes("2000"))
      #expect(sized.message.count == 2000)
      let answer = await status { _ = try await pair.channel.unary(path("Size"), bytes("2001")) }
      #expect(answer?.code == .resourceExhausted)
    }
  }

  @Test func `nobody there is unavailable, or waited for`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("socket")
    let channel = try GRPCChannel(to: .unix(path: path))
    let status = await status { _ = try await channel.unary(GRPCTests.path("Echo"), []) }
    #expect(status?.code == .unavailable)
    async let reply = channel.unary(
      GRPCTests.path("Echo"), [5], options: CallOptions(timeout: .seconds(20), waitsForReady: true))
    let server = try GRPCServer(listeningOn: [.unix(path: path)], router: makeTestRouter())
    #expect(try await reply.message == [5])
    await server.shutdown()
  }
}
