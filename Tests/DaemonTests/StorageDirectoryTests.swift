import DaemonConfiguration
import Foundation
import Testing

@testable import Daemon

@Suite final class StorageDirectoryTests {
  private let path = "/tmp/galleon-daemon-\(UUID().uuidString)"

  deinit { try? FileManager.default.removeItem(atPath: path) }  // it may not exist

  @Test func `a second daemon on the same path is refused with the first one's number`() throws {
    let first = try StorageDirectory(path + "/a/b")
    let refusal = #expect(throws: Refusal.self) { try StorageDirectory(path + "/a/b") }
    #expect(refusal?.kind == .precondition)
    #expect(refusal?.message.contains("process \(getpid())") == true)
    withExtendedLifetime(first) {}
  }

  @Test func `the lock is free again when its holder is gone`() throws {
    _ = try StorageDirectory(path)
    _ = try StorageDirectory(path)
  }

  @Test func `the node keeps its identity`() throws {
    let first = try StorageDirectory(path).nodeID()
    #expect(try StorageDirectory(path).nodeID() == first)
  }

  @Test func `a damaged identity is an error that says what to do`() throws {
    _ = try StorageDirectory(path).nodeID()
    try Data("garbage".utf8).write(to: URL(fileURLWithPath: path + "/node-id"))
    let refusal = #expect(throws: Refusal.self) { try StorageDirectory(path).nodeID() }
    #expect(refusal?.message.contains("node-id") == true)
  }

  @Test func `a path that is a file, or lies under one, is refused`() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: path + "/file"))
    #expect(throws: Refusal.self) { try StorageDirectory(path + "/file") }
    #expect(throws: Refusal.self) { try StorageDirectory(path + "/file/below") }
    #expect(throws: Refusal.self) { try StorageDirectory("/proc/galleonfs") }
  }
}
