import GRPC
import Testing

@Suite struct CancellationTests {
  @Test func `a deadline ends the call at the client and the handler at the server`() async throws {
    let witness = Witness()
    try await withPair(try Pair(makeTestRouter(witness))) { pair in
      // On a busy machine a short time may pass before the handler starts.
      var timeout = Duration.milliseconds(200)
      while witness.events.isEmpty {
        let status = await status {
          _ = try await pair.channel.unary(
            path("Sleep"), [], options: CallOptions(timeout: timeout))
        }
        #expect(status?.code == .deadlineExceeded)
        timeout *= 2
      }
      await witness.wait(for: 2)
      #expect(witness.events == ["started", "cancelled"])
    }
  }

  @Test func `a handler knows how much time is left`() async throws {
    var router = GRPCRouter()
    router.unary("test.Time", "Left", request: .bytes, response: .bytes) { _, context in
      // The core rounds the time up on its way.
      let left = context.remainingTime.map { $0 > .seconds(20) && $0 <= .seconds(31) }
      return bytes("\(String(describing: left))")
    }
    try await withPair(try Pair(router)) { pair in
      let method = MethodPath("test.Time", "Left")
      let bounded = try await pair.channel.unary(
        method, [], options: CallOptions(timeout: .seconds(30)))
      #expect(bounded.message == bytes("Optional(true)"))
      #expect(try await pair.channel.unary(method, []).message == bytes("nil"))
    }
  }

  @Test func `cancelling the client's task cancels the handler's`() async throws {
    let witness = Witness()
    try await withPair(try Pair(makeTestRouter(witness))) { pair in
      let channel = pair.channel
      let task = Task { await status { _ = try await channel.unary(path("Sleep"), []) } }
      await witness.wait()
      task.cancel()
      #expect(await task.value?.code == .cancelled)
      await witness.wait(for: 2)
      #expect(witness.events == ["started", "cancelled"])
    }
  }

  @Test func `dropping a streaming call cancels it`() async throws {
    let witness = Witness()
    try await withPair(try Pair(makeTestRouter(witness))) { pair in
      do {
        let call = try await pair.channel.serverStreaming(
          path("Forever"), [], request: .bytes, response: .bytes)
        #expect(try await call.receive() == [0])
      }
      await witness.wait()
      #expect(witness.events == ["ended"])
    }
  }

  @Test func `cancelling a task that receives ends its call`() async throws {
    let witness = Witness()
    try await withPair(try Pair(makeTestRouter(witness))) { pair in
      let call = try await pair.channel.serverStreaming(
        path("Forever"), [], request: .bytes, response: .bytes)
      #expect(try await call.receive() == [0])
      let task = Task { await status { _ = try await call.receive() } }
      task.cancel()
      #expect(await task.value?.code == .cancelled)
      await witness.wait()
    }
  }

  @Test func `a client that goes away mid-stream is not taken for one that has finished`()
    async throws
  {
    let witness = Witness()
    try await withPair(try Pair(makeTestRouter(witness))) { pair in
      let call = try pair.channel.startCall(path("Join"))
      try await call.send([1])
      await witness.wait()
      call.cancel()
      await witness.wait(for: 2)
      #expect(witness.events.first == "message")
      #expect(witness.events.last?.hasPrefix("broken: ") == true)
    }
  }

  @Test func `a server that stops answers streams that never end with unavailable`() async throws {
    let witness = Witness()
    let pair = try Pair(makeTestRouter(witness))
    let call = try await pair.channel.serverStreaming(
      path("Forever"), [], request: .bytes, response: .bytes)
    #expect(try await call.receive() == [0])
    #expect(await pair.server.shutdown(grace: .seconds(30)) == 0)
    #expect(await status { _ = try await call.receive() }?.code == .unavailable)
  }

  @Test func `a shutdown lets running calls finish and takes no new ones`() async throws {
    let started = Witness()
    let release = Witness()
    var router = GRPCRouter()
    router.unary("test.Slow", "Wait", request: .bytes, response: .bytes) { request, _ in
      started.saw("started")
      await release.wait()
      return request
    }
    let pair = try Pair(router)
    let channel = pair.channel
    async let reply = channel.unary(MethodPath("test.Slow", "Wait"), [9])
    await started.wait()
    async let left = pair.server.shutdown(grace: .seconds(30))
    var refused: GRPCStatus?
    while refused == nil {
      let fresh = try GRPCChannel(to: channel.address)
      refused = await status { _ = try await fresh.unary(path("Echo"), []) }
      if refused?.code == .unimplemented { refused = nil }
    }
    #expect(refused?.code == .unavailable)
    #expect(pair.server.runningCallCount == 1)
    release.saw("release")
    #expect(try await reply.message == [9])
    #expect(await left == 0)
  }

  @Test func `calls that outlast the grace are cancelled`() async throws {
    let witness = Witness()
    let pair = try Pair(makeTestRouter(witness))
    let channel = pair.channel
    async let status = status { _ = try await channel.unary(path("Sleep"), []) }
    await witness.wait()
    #expect(await pair.server.shutdown(grace: .milliseconds(50)) == 0)
    #expect(witness.events == ["started", "cancelled"])
    let code = await status?.code
    #expect(code == .unavailable || code == .cancelled)
  }

  @Test func `a shutdown does not wait for a handler that ignores its cancellation`() async throws {
    let started = Witness()
    let release = Witness()
    var router = GRPCRouter()
    router.unary("test.Slow", "Wait", request: .bytes, response: .bytes) { request, _ in
      started.saw("started")
      await release.wait()
      return request
    }
    let pair = try Pair(router)
    let channel = pair.channel
    async let status = status { _ = try await channel.unary(MethodPath("test.Slow", "Wait"), []) }
    await started.wait()
    let left = await pair.server.shutdown(
      grace: .milliseconds(20), cancellationGrace: .milliseconds(20))
    #expect(left == 1)
    release.saw("release")
    #expect(await status != nil)
  }

  @Test func `a server that is dropped ends its calls`() async throws {
    let witness = Witness()
    let directory = try TemporaryDirectory()
    let path = directory.file("socket")
    var server: GRPCServer? = try GRPCServer(
      listeningOn: [.unix(path: path)], router: makeTestRouter(witness))
    let channel = try GRPCChannel(to: .unix(path: path))
    async let ended = status { _ = try await channel.unary(GRPCTests.path("Sleep"), []) }
    await witness.wait()
    #expect(server?.runningCallCount == 1)
    server = nil
    #expect(await ended != nil)
    await witness.wait(for: 2)
  }
}
