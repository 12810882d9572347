import Foundation
import Logging
import NodeRuntime
import StorageModel

/// A node on a directory of its own, and a place to mount at.
struct NodeFixture {
  let directory: String

  init() throws {
    directory = "/tmp/galleon-node-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
  }

  var storagePath: String { "\(directory)/storage" }

  func mountPoint(_ name: String = "mnt") -> String { "\(directory)/\(name)" }

  func open(journalByteCount: Int = 64 << 20) throws -> Node {
    var logger = Logger(label: "test")
    logger.logLevel = .warning
    return try Node(
      NodeConfiguration(
        storagePath: storagePath, pool: PoolConfiguration(journalByteCount: journalByteCount)),
      logger: logger)
  }

  func remove() { try? FileManager.default.removeItem(atPath: directory) }

  /// Whether this process has a capability (capabilities(7), by number).
  static func hasCapability(_ number: Int) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    let bits = line.flatMap {
      UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
    }
    return (bits ?? 0) >> UInt64(number) & 1 == 1
  }

  static func specification(
    name: String = "volume", capacityBytes: UInt64 = 64 << 20, content: VolumeContent = .fileSystem,
    encryption: EncryptionAlgorithm = .none, blockSize: BlockSize = .standard
  ) -> VolumeSpecification {
    var generator = SystemRandomNumberGenerator()
    return VolumeSpecification(
      id: VolumeID(UUIDValue(randomFrom: &generator)), name: name, capacityBytes: capacityBytes,
      blockSize: blockSize, type: .persistent, content: content, encryption: encryption,
      replicaCount: 1, storageClassName: "fast-local-ssd", strategy: .synchronous,
      writeConcern: .replicated)
  }
}

/// Opens a node in a fixture, runs the body, and takes everything down again.
func withNode<Result>(
  _ body: (Node, NodeFixture) async throws -> Result
) async throws -> Result {
  let fixture = try NodeFixture()
  defer { fixture.remove() }
  let node = try fixture.open()
  do {
    let result = try await body(node, fixture)
    await node.shutdown(leavingMounts: false)
    return result
  } catch {
    await node.shutdown(leavingMounts: false)
    throw error
  }
}
