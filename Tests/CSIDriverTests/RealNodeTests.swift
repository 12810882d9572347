import CSIDriver
import ClusterControl
import Foundation
import GRPC
import Glibc
import Logging
import Messages
import NodeRuntime
import Testing

/// Whether this host lets us mount.
let canMount = geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0

/// Runs a test's body on a bench with a real node: pool, FUSE, loop devices.
func onRealNode(_ body: (SocketBench, Node) async throws -> Void) async throws {
  try await inDirectory { directory in
    let catalog = VolumeCatalog(MemoryStore())
    try await withRealNode(directory, catalog, body)
  }
}

/// Runs `body` on a node whose pool is in the directory, and shuts the node down.
func withRealNode(
  _ directory: String, _ catalog: VolumeCatalog,
  _ body: (SocketBench, Node) async throws -> Void
) async throws {
  let node = try Node(
    NodeConfiguration(
      storagePath: directory + "/storage", pool: PoolConfiguration(journalByteCount: 32 << 20)),
    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  let bench = try await SocketBench(node, directory, catalog: catalog)
  var failure: (any Error)?
  do { try await body(bench, node) } catch { failure = error }
  await bench.server.shutdown()
  await node.shutdown(leavingMounts: false)
  if let failure { throw failure }
}

@Suite(.serialized, .enabled(if: canMount, "mounting needs root and /dev/fuse"))
struct RealNodeTests {
  @Test(arguments: ["galleonfs", "ext4", "xfs"])
  func `a file written through a published volume is there after it was published again`(
    kind: String
  ) async throws {
    try await onRealNode { bench, _ in
      let capability = CSI.VolumeCapability.mount(fsType: kind)
      let volume = try await bench.create("pvc-1", bytes: 400 << 20, capability)
      for _ in 0..<2 { try await bench.publish(volume, capability) }
      let file = URL(filePath: bench.target + "/file")
      try Data("hello".utf8).write(to: file)
      try await bench.unpublish(volume)
      #expect(access(bench.target, F_OK) != 0)
      try await bench.publish(volume, capability, readonly: true)
      #expect(try Data(contentsOf: file) == Data("hello".utf8))
      #expect(throws: (any Error).self) { try Data("x".utf8).write(to: file) }
      #expect(errno == EROFS || access(bench.target, W_OK) != 0)
      try await bench.unpublish(volume)
      _ = try await bench.call(
        CSI.ControllerService.deleteVolume, .init(volumeID: volume.volumeID))
    }
  }

  @Test func `a device is published as a file and grows`() async throws {
    try await onRealNode { bench, _ in
      let volume = try await bench.create("pvc-1", .block())
      for _ in 0..<2 { try await bench.publish(volume, .block()) }
      var about = stat()
      #expect(stat(bench.target, &about) == 0)
      #expect(about.st_mode & S_IFMT == S_IFBLK)
      _ = try await bench.call(
        CSI.ControllerService.controllerExpandVolume,
        .init(volumeID: volume.volumeID, capacityRange: .init(requiredBytes: 128 << 20)))
      _ = try await bench.call(
        CSI.NodeService.nodeExpandVolume,
        .init(
          volumeID: volume.volumeID, volumePath: bench.target,
          capacityRange: .init(requiredBytes: 128 << 20)))
      let descriptor = open(bench.target, O_RDONLY)
      #expect(lseek(descriptor, 0, SEEK_END) == 128 << 20)
      close(descriptor)
      try await bench.unpublish(volume)
    }
  }

  @Test func `paths through symbolic links are the same places`() async throws {
    try await onRealNode { bench, _ in
      let volume = try await bench.create("pvc-1")
      let link = bench.directory + "/link"
      symlink(bench.directory + "/targets", link)
      for _ in 0..<2 { try await bench.publish(volume) }
      let stats = try await bench.call(
        CSI.NodeService.nodeGetVolumeStats,
        .init(volumeID: volume.volumeID, volumePath: link + "/t"))
      #expect(stats.usage.first?.total == 64 << 20)
      _ = try await bench.call(
        CSI.NodeService.nodeUnpublishVolume,
        .init(volumeID: volume.volumeID, targetPath: link + "/t"))
      #expect(access(bench.target, F_OK) != 0)
      try await bench.unpublish(volume)
    }
  }

  @Test func `after a restart the same calls find the same volume`() async throws {
    try await inDirectory { directory in
      let catalog = VolumeCatalog(MemoryStore())
      try await withRealNode(directory, catalog) { bench, _ in
        let volume = try await bench.create("pvc-1")
        try await bench.publish(volume)
        try Data("kept".utf8).write(to: URL(filePath: bench.target + "/file"))
      }
      try await withRealNode(directory, catalog) { bench, _ in
        let volume = try await bench.create("pvc-1")
        try await bench.publish(volume)
        #expect(
          try Data(contentsOf: URL(filePath: bench.target + "/file")) == Data("kept".utf8))
        try await bench.unpublish(volume)
      }
    }
  }
}
