import CSIDriver
import DaemonConfiguration
import GRPC
import Logging
import Messages
import NodeRuntime
import StorageModel
import Synchronization
import Testing

@Suite struct CallTests {
  let bench = Bench()

  @Test func `a second call on a busy volume is aborted at once`() async throws {
    let volume = try await bench.create()
    bench.cluster.gate.close()
    async let first: Void = bench.stage(volume)
    await bench.cluster.gate.someoneWaits()
    await expect(.aborted, "NodeStageVolume") { try await bench.stage(volume) }
    await expect(.aborted, "busy") {
      try await bench.controller.deleteVolume(.init(volumeID: volume.volumeID))
    }
    bench.cluster.gate.open()
    try await first
    try await bench.stage(volume)
  }

  @Test func `two creations of one name do not run together`() async throws {
    bench.cluster.gate.close()
    async let first = bench.create("a")
    await bench.cluster.gate.someoneWaits()
    await expect(.aborted, "CreateVolume") { try await bench.create("a") }
    bench.cluster.gate.open()
    #expect(try await first == bench.create("a"))
  }

  @Test func `past the deadline the work goes on, and a retry finds it done`() async throws {
    let volume = try await bench.create()
    bench.cluster.gate.close()
    await expect(.deadlineExceeded, "NodeStageVolume") {
      try await bench.node.stageVolume(
        .init(
          volumeID: volume.volumeID, stagingTargetPath: Bench.staging,
          volumeCapability: .mount()), timeout: .milliseconds(20))
    }
    await expect(.aborted) { try await bench.stage(volume) }
    bench.cluster.gate.open()
    while bench.cluster.state.withLock({ $0.mounts.isEmpty }) { await Task.yield() }
    #expect(bench.cluster.state.withLock { $0.mounts.count } == 1)
  }

  @Test func `a lease that expired is taken over, and its first owner gives nothing back`() throws {
    let leases = VolumeLeases()
    let start = ContinuousClock.now
    let first = try leases.acquire(
      "v", operation: "one", now: start, expiry: start + .seconds(10))
    #expect(throws: CallError.self) {
      try leases.acquire(
        "v", operation: "two", now: start + .seconds(9), expiry: start + .seconds(20))
    }
    let second = try leases.acquire(
      "v", operation: "two", now: start + .seconds(10), expiry: start + .seconds(20))
    leases.release(first)
    #expect(leases.count == 1)
    leases.release(second)
    #expect(leases.count == 0)
  }

  @Test(arguments: codes)
  func `domain errors have their codes`(error: CallError, code: GRPCCode) {
    #expect(error.statusCode == code)
    #expect(!error.message.isEmpty)
  }

  @Test func `secrets appear in no message`() async {
    let secret = "correct horse"
    let requests: [CSI.CreateVolumeRequest] = [
      .init(name: "a/b", secrets: ["key": secret]),
      .init(
        name: "a", volumeCapabilities: [.mount()], parameters: ["x": "y"], secrets: ["k": secret]),
      .init(name: "a", volumeCapabilities: [.mount(flags: ["password=\(secret)"])]),
      .init(name: "a", volumeCapabilities: [.mount(flags: ["ro,noatime=\(secret)"])]),
    ]
    for request in requests {
      do {
        _ = try await bench.controller.createVolume(request)
        Issue.record("succeeded")
      } catch { #expect(!error.message.contains(secret)) }
    }
  }
}

@Suite struct LogTests {
  @Test func `no log line holds a secret or a mount flag`() async throws {
    let lines = LogLines()
    let bench = Bench(logger: Logger(label: "test") { _ in lines.handler })
    let secret = ["key": "correct horse"]
    let capability = CSI.VolumeCapability.mount(flags: ["noatime"])
    let created = try await bench.controller.createVolume(
      .init(name: "a", volumeCapabilities: [capability], secrets: secret))
    let id = try #require(created.volume).volumeID
    for path in [Bench.staging, "bad path"] {
      _ = try? await bench.node.stageVolume(  // the second is refused
        .init(
          volumeID: id, stagingTargetPath: path, volumeCapability: capability, secrets: secret))
    }
    _ = try? await bench.node.publishVolume(  // refused: staged otherwise
      .init(
        volumeID: id, stagingTargetPath: "/elsewhere", targetPath: Bench.target,
        volumeCapability: capability, secrets: secret))
    let text = lines.text
    #expect(text.contains("CreateVolume") && text.contains("NodePublishVolume"))
    #expect(!text.contains("correct horse") && !text.contains("noatime"))
  }
}

@Suite struct IdentityTests {
  let bench = Bench()

  @Test func `the plugin has its name and its capabilities`() {
    #expect(bench.identity.getPluginInfo(.init()).name == "csi.galleonfs.io")
    let capabilities = bench.identity.getPluginCapabilities(.init()).capabilities
    #expect(
      capabilities.compactMap(\.type) == [
        .service(.init(type: .controllerService)),
        .service(.init(type: .volumeAccessibilityConstraints)),
        .volumeExpansion(.init(type: .online)),
      ])
  }

  @Test func `probe tells the truth`() async throws {
    #expect(try await bench.identity.probe(.init()).ready?.value == true)
    bench.cluster.state.withLock { $0.isReady = false }
    #expect(try await bench.identity.probe(.init()).ready?.value == false)
    bench.cluster.state.withLock { $0.trouble = .node(.unavailable("etcd does not answer")) }
    await expect(.failedPrecondition, "etcd does not answer") {
      try await bench.identity.probe(.init())
    }
  }

  @Test func `what is not offered is not advertised and says so`() async {
    let offered = bench.controller.getCapabilities(.init()).capabilities
    let names = offered.compactMap { capability -> String? in
      if case .rpc(let rpc)? = capability.type { rpc.type.wireName } else { nil }
    }
    for name in ["CREATE_DELETE_SNAPSHOT", "LIST_SNAPSHOTS", "CLONE_VOLUME", "MODIFY_VOLUME"] {
      #expect(!names.contains(name))
    }
    #expect(names.count == 10)
    await expect(.unimplemented, "CREATE_DELETE_SNAPSHOT") {
      try bench.controller.createSnapshot(.init())
    }
    await expect(.unimplemented, "LIST_SNAPSHOTS") {
      try bench.controller.listSnapshots(.init())
    }
    await expect(.unimplemented, "MODIFY_VOLUME") {
      try bench.controller.modifyVolume(.init())
    }
  }
}

private let volume = VolumeID(UUIDValue(high: 1, low: 1))
private let codes: [(CallError, GRPCCode)] = [
  (.invalid("x"), .invalidArgument),
  (.aborted("x"), .aborted),
  (.node(.volumeNotFound(volume)), .notFound),
  (.node(.pathOccupied(path: "/a", by: "b")), .alreadyExists),
  (.node(.cannotShrink(currentBytes: 2, requestedBytes: 1)), .outOfRange),
  (.node(.store(.poolFull)), .resourceExhausted),
  (.node(.host("x")), .internal),
  (.node(.unavailable("x")), .unavailable),
  (.unimplemented("x"), .unimplemented),
  (.refused(Refusal(.exhausted, "x")), .resourceExhausted),
]
