import Testing

@testable import GRPC

@Suite struct HealthTests {
  @Test func `health tells what was set, and not found for what was not`() async throws {
    let health = HealthService()
    var router = GRPCRouter()
    health.register(in: &router)
    try await withPair(try Pair(router)) { pair in
      let first = try await check("", pair.channel)
      #expect(first == .notServing)
      health.set(.serving)
      health.set(.notServing, service: "csi.v1.Node")
      let second = try await check("", pair.channel)
      #expect(second == .serving)
      let node = try await check("csi.v1.Node", pair.channel)
      #expect(node == .notServing)
      let unknown = await status { _ = try await check("none", pair.channel) }
      #expect(unknown?.code == .notFound)
    }
  }

  @Test func `a watcher hears of each change, and of nothing when nothing changed`() async throws {
    let health = HealthService()
    var router = GRPCRouter()
    health.register(in: &router)
    let pair = try Pair(router)
    let call = try await pair.channel.serverStreaming(
      MethodPath(HealthService.fullName, "Watch"), "late", request: HealthService.request,
      response: HealthService.response)
    #expect(try await call.receive() == .serviceUnknown)
    health.set(.serving, service: "late")
    #expect(try await call.receive() == .serving)
    health.set(.serving, service: "late")
    health.set(.notServing, service: "other")
    health.set(.notServing, service: "late")
    #expect(try await call.receive() == .notServing)
    #expect(await pair.server.shutdown(grace: .seconds(30)) == 0)
    #expect(await status { _ = try await call.receive() }?.code == .unavailable)
  }

  @Test func `a malformed question is an invalid argument`() async throws {
    let health = HealthService()
    var router = GRPCRouter()
    health.register(in: &router)
    try await withPair(try Pair(router)) { pair in
      for question: [UInt8] in [[0x0A], [0x0A, 2, 65], [0x0A, 1, 0xFF], [8, 1], [0x0F]] {
        let status = await status {
          _ = try await pair.channel.unary(MethodPath(HealthService.fullName, "Check"), question)
        }
        #expect(status?.code == .invalidArgument, "\(question)")
      }
    }
  }

  private func check(_ service: String, _ channel: GRPCChannel) async throws -> ServingStatus {
    try await channel.unary(
      MethodPath(HealthService.fullName, "Check"), service, request: HealthService.request,
      response: HealthService.response)
  }
}

@Suite struct ReflectionTests {
  @Test(arguments: ReflectionService.fullNames)
  func `reflection lists the services and gives their files`(name: String) async throws {
    var router = makeTestRouter()
    try ReflectionService(fileDescriptorSet: testDescriptors).register(in: &router)
    try await withPair(try Pair(router)) { pair in
      let call = try pair.channel.startCall(MethodPath(name, "ServerReflectionInfo"))
      let services = try await ask(call) { $0.text(7, "") }
      #expect(
        try texts(services, [6, 1, 1])
          == (ReflectionService.fullNames + ["test.Echo"]).sorted())
      let byName = try await ask(call) { $0.text(3, "echo.proto") }
      #expect(try texts(byName, [4, 1, 1]) == ["echo.proto", "base.proto"])
      for symbol in [
        "test.Echo", "test.Echo.Echo", "test.Request", "test.Request.text", "test.Request.Inner",
        "test.Color", ".test.Request",
      ] {
        let answer = try await ask(call) { $0.text(4, symbol) }
        #expect(try texts(answer, [4, 1, 1]).first == "echo.proto", "\(symbol)")
      }
      let number = try await ask(call) { question in
        question.message(5) {
          $0.text(1, "base.Options")
          $0.number(2, 1059)
        }
      }
      #expect(try texts(number, [4, 1, 1]).first == "echo.proto")
      try await call.finishSending()
      #expect(try await call.receive() == nil)
    }
  }

  @Test func `reflection answers what it does not know with an error and goes on`() async throws {
    var router = GRPCRouter()
    try ReflectionService(fileDescriptorSet: testDescriptors).register(in: &router)
    try await withPair(try Pair(router)) { pair in
      let call = try pair.channel.startCall(
        MethodPath(ReflectionService.fullNames[0], "ServerReflectionInfo"))
      for field in [3, 4, 6] {
        let answer = try await ask(call) { $0.text(field, "nothing") }
        #expect(try numbers(answer, [7, 1]) == [UInt64(GRPCCode.notFound.rawValue)])
      }
      let empty = try await ask(call) { _ in }
      #expect(try numbers(empty, [7, 1]) == [UInt64(GRPCCode.invalidArgument.rawValue)])
      let extensions = try await ask(call) { $0.text(6, "base.Options") }
      #expect(try numbers(extensions, [5, 2]) == [1059])
    }
  }

  @Test func `every cut or flipped descriptor set is read or refused`() {
    for count in testDescriptors.indices {
      _ = try? ReflectionService(fileDescriptorSet: Array(testDescriptors.prefix(count)))
    }
    for index in testDescriptors.indices {
      for bit in 0..<8 {
        var flipped = testDescriptors
        flipped[index] ^= 1 << bit
        _ = try? ReflectionService(fileDescriptorSet: flipped)
      }
    }
  }

  private func ask(
    _ call: ClientCall, _ fill: (inout ProtobufWriter) -> Void
  ) async throws -> [UInt8] {
    var writer = ProtobufWriter()
    fill(&writer)
    try await call.send(writer.bytes)
    let answer = try #require(try await call.receive())
    // original_request comes back.
    #expect(try values(answer[...], [2]) == [.bytes(writer.bytes[...])])
    return answer
  }
}

@Suite struct ProtobufTests {
  @Test(arguments: [0, 1, 127, 128, 300, UInt64.max])
  func `a number is read as it was written`(number: UInt64) throws {
    var writer = ProtobufWriter()
    writer.number(15, number)
    writer.number(16, number)
    #expect(try values(writer.bytes[...], [15]) == [.varint(number)])
    #expect(try values(writer.bytes[...], [16]) == [.varint(number)])
  }

  @Test func `fixed fields are read in little-endian order`() throws {
    let bytes: [UInt8] = [0x09, 1, 0, 0, 0, 0, 0, 0, 0x80, 0x15, 2, 0, 0, 0x40]
    #expect(try values(bytes[...], [1]) == [.fixed64(0x8000_0000_0000_0001)])
    #expect(try values(bytes[...], [2]) == [.fixed32(0x4000_0002)])
  }

  @Test(
    arguments: [
      [0x08], [0x08, 0x80], [0x0A, 1], [0x0A, 0x80], [0x09, 1, 2, 3], [0x0D, 1], [0x00, 1],
      [0x0B], [0x0C], [0x0E], [0x0F],
      [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2],
      [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1],
      [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1],
    ] as [[UInt8]])
  func `malformed bytes are refused`(bytes: [UInt8]) {
    #expect(throws: ProtobufError.self) { try values(bytes[...], [1]) }
  }
}

/// All values at the path of field numbers.
private func values(_ bytes: ArraySlice<UInt8>, _ path: [Int]) throws -> [ProtobufValue] {
  var reader = ProtobufReader(bytes)
  var found: [ProtobufValue] = []
  while let (number, value) = try reader.next() {
    guard number == path[0] else { continue }
    if path.count == 1 {
      found.append(value)
    } else {
      found += try values(try value.requireBytes("child"), Array(path.dropFirst()))
    }
  }
  return found
}

private func texts(_ bytes: [UInt8], _ path: [Int]) throws -> [String] {
  try values(bytes[...], path).map { try $0.requireText("text") }
}

private func numbers(_ bytes: [UInt8], _ path: [Int]) throws -> [UInt64] {
  try values(bytes[...], path).map { try $0.requireNumber("number") }
}

/// `echo.proto`, which imports `base.proto`, as a serialized `FileDescriptorSet`.
private let testDescriptors: [UInt8] = {
  var set = ProtobufWriter()
  set.message(1) { file in
    file.text(1, "base.proto")
    file.text(2, "base")
    file.message(4) { $0.text(1, "Options") }
  }
  set.message(1) { file in
    file.text(1, "echo.proto")
    file.text(2, "test")
    file.text(3, "base.proto")
    file.message(4) { message in
      message.text(1, "Request")
      message.message(2) { $0.text(1, "text") }
      message.message(3) { $0.text(1, "Inner") }
    }
    file.message(5) { $0.text(1, "Color") }
    file.message(6) { service in
      service.text(1, "Echo")
      service.message(2) { $0.text(1, "Echo") }
    }
    file.message(7) { field in
      field.text(1, "secret")
      field.text(2, ".base.Options")
      field.number(3, 1059)
    }
  }
  return set.bytes
}()
