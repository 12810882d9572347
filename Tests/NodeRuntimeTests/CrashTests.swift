import Foundation
import NodeRuntime
import StorageModel
import Synchronization
import Testing

/// kill -9 in the middle of writing, again and again on the same storage path.
@Suite(.serialized) struct CrashTests {
  /// 4 MiB: small enough that blocks are overwritten often, and read whole after each crash.
  private static let sectorCount = 8192
  private static let roundCount = 20

  private static let names = ["plain", "secret"]

  @Test func `nothing that was written is lost or torn when the process is killed`() async throws {
    let fixture = try NodeFixture()
    defer { fixture.remove() }
    let node = try fixture.open(journalByteCount: 32 << 20)
    for name in Self.names {
      try await node.createReplica(
        NodeFixture.specification(
          name: name, capacityBytes: UInt64(Self.sectorCount * DeviceModel.sectorByteCount),
          content: .block, encryption: name == "secret" ? .aes256GCM : .none))
    }
    await node.shutdown(leavingMounts: false)

    for round in 0..<Self.roundCount {
      setenv("GALLEON_CRASH_DIRECTORY", fixture.directory, 1)
      setenv("GALLEON_CRASH_ROUND", "\(round)", 1)
      await #expect(processExitsWith: .signal(SIGKILL)) {
        try await CrashTests.writeUntilKilled()
      }
    }
    unsetenv("GALLEON_CRASH_DIRECTORY")
    unsetenv("GALLEON_CRASH_ROUND")

    let last = try fixture.open(journalByteCount: 32 << 20)
    try await Self.verify(last, directory: fixture.directory)
    var changes: UInt64 = 0
    for name in Self.names {
      changes += try Self.model(of: name, in: fixture.directory).changeCount
    }
    #expect(changes > UInt64(Self.roundCount) * 20)
    await last.shutdown(leavingMounts: false)
  }

  private static func model(of name: String, in directory: String) throws -> DeviceModel {
    try DeviceModel(path: "\(directory)/\(name).model", sectorCount: sectorCount)
  }

  private static func id(of name: String, on node: Node) async throws -> VolumeID {
    try #require(await node.volumes().first { $0.specification.name == name })
      .specification.id
  }

  private struct Wrong: Error {
    let text: String
  }

  private static func verify(_ node: Node, directory: String) async throws {
    for name in names {
      let id = try await id(of: name, on: node)
      let device = try await node.readDevice(
        id, at: 0, byteCount: sectorCount * DeviceModel.sectorByteCount)
      if let fault = try model(of: name, in: directory).settle(with: device) {
        throw Wrong(text: "\(name): \(fault)")
      }
    }
  }

  /// The body of the process that dies: recovers, compares, writes on; killed after a random
  /// number of changes, somewhere inside one.
  fileprivate static func writeUntilKilled() async throws {
    let environment = ProcessInfo.processInfo.environment
    let directory = try #require(environment["GALLEON_CRASH_DIRECTORY"])
    let round = try #require(environment["GALLEON_CRASH_ROUND"].flatMap { UInt64($0) })
    let node = try NodeFixture(existing: directory).open(journalByteCount: 32 << 20)
    do {
      try await verify(node, directory: directory)
    } catch {
      FileHandle.standardError.write(Data("round \(round): \(error)\n".utf8))
      throw error
    }
    var generator = SeededGenerator(seed: round)
    let fatalChange = UInt64.random(in: 20...200, using: &generator)
    let spins = Int.random(in: 0...200_000, using: &generator)
    let changes = Killer()
    Thread.detachNewThread {
      while changes.count.load(ordering: .relaxed) < fatalChange { sched_yield() }
      for _ in 0..<spins { _ = changes.count.load(ordering: .relaxed) }
      kill(getpid(), SIGKILL)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, name) in names.enumerated() {
        var writer = RandomDeviceWriter(
          node: node, volume: try await id(of: name, on: node),
          model: try model(of: name, in: directory),
          generator: SeededGenerator(seed: round << 8 + UInt64(index)), version: (round + 1) << 32)
        group.addTask {
          while true {
            try await writer.change()
            changes.count.add(1, ordering: .relaxed)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private final class Killer: Sendable {
    let count = Atomic<UInt64>(0)
  }
}
