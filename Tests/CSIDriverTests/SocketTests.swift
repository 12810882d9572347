import CSIDriver
import ClusterControl
import GRPC
import Glibc
import Messages
import NodeRuntime
import StorageModel
import Synchronization
import Testing

@Suite struct SocketTests {
  @Test(arguments: ["galleonfs", "ext4", "block"])
  func `a volume lives its whole life over the socket`(kind: String) async throws {
    try await onSocket { bench, node in
      let capability: CSI.VolumeCapability = kind == "block" ? .block() : .mount(fsType: kind)
      let volume = try await bench.create(
        "pvc-1", capability,
        parameters: ["encryption": "true", "csi.storage.k8s.io/pvc/name": "claim"])
      let id = volume.volumeID
      #expect(volume.accessibleTopology == [NodePlaces.first])
      let entry = try #require(await bench.catalog.find("pvc-1")).entry
      #expect(entry.labels["persistentvolumeclaim"] == "claim")
      #expect(entry.specification.encryption == .aes256GCM)
      for _ in 0..<2 { try await bench.publish(volume, capability) }
      #expect(node.state.withLock { $0.mounts.map(\.kind) } == [kind, kind])
      let listed = try await bench.call(CSI.ControllerService.listVolumes, .init())
      #expect(listed.entries.first?.status?.publishedNodeIDs == ["node-1"])
      let grown = try await bench.call(
        CSI.ControllerService.controllerExpandVolume,
        .init(volumeID: id, capacityRange: .init(requiredBytes: 2 << 30)))
      #expect(grown.capacityBytes == 2 << 30)
      #expect(grown.nodeExpansionRequired == (kind != "galleonfs"))
      _ = try await bench.call(
        CSI.NodeService.nodeExpandVolume,
        .init(
          volumeID: id, volumePath: bench.target, capacityRange: .init(requiredBytes: 2 << 30)))
      let stats = try await bench.call(
        CSI.NodeService.nodeGetVolumeStats, .init(volumeID: id, volumePath: bench.target))
      #expect(stats.usage.first?.total == 2 << 30)
      await expectStatus(.failedPrecondition) {
        _ = try await bench.call(CSI.ControllerService.deleteVolume, .init(volumeID: id))
      }
      for _ in 0..<2 {
        try await bench.unpublish(volume)
        #expect(access(bench.target, F_OK) != 0)
      }
      for _ in 0..<2 {
        _ = try await bench.call(CSI.ControllerService.deleteVolume, .init(volumeID: id))
      }
      #expect(try await bench.catalog.volumes().isEmpty)
      #expect(node.state.withLock { $0.volumes.isEmpty })
    }
  }

  @Test func `errors arrive with their code and a sentence`() async throws {
    try await onSocket { bench, _ in
      await expectStatus(.invalidArgument, "name is required") {
        _ = try await bench.call(CSI.ControllerService.createVolume, .init())
      }
      await expectStatus(.notFound, "UUID") {
        _ = try await bench.call(CSI.ControllerService.controllerGetVolume, .init(volumeID: "x"))
      }
      await expectStatus(.unimplemented, "CREATE_DELETE_SNAPSHOT") {
        _ = try await bench.call(CSI.ControllerService.createSnapshot, .init())
      }
      await expectStatus(.unimplemented, "GROUP_SNAPSHOT") {
        _ = try await bench.call(CSI.GroupControllerService.createVolumeGroupSnapshot, .init())
      }
      await expectStatus(.invalidArgument) {
        _ = try await bench.channel.unary(
          MethodPath("csi.v1.Controller", "CreateVolume"), [0xFF, 0xFF, 0xFF])
      }
    }
  }

  @Test func `a name that looks like another volume's identifier deletes only itself`()
    async throws
  {
    try await onSocket { bench, _ in
      func create(_ name: String) async throws -> String {
        let created = try await bench.call(
          CSI.ControllerService.createVolume,
          .init(name: name, volumeCapabilities: [.mount()]))
        return try #require(created.volume).volumeID
      }
      let first = try await create("a")
      let second = try await create(first)
      _ = try await bench.call(CSI.ControllerService.deleteVolume, .init(volumeID: first))
      let left = try await bench.call(CSI.ControllerService.listVolumes, .init())
      #expect(left.entries.map(\.volume?.volumeID) == [second])
    }
  }

  @Test func `a target that someone wrote into is not removed`() async throws {
    try await onSocket { bench, _ in
      let created = try await bench.call(
        CSI.ControllerService.createVolume, .init(name: "a", volumeCapabilities: [.mount()]))
      let id = try #require(created.volume).volumeID
      let target = bench.directory + "/targets/t"
      mkdir(target, 0o700)
      close(open(target + "/file", O_CREAT | O_WRONLY, 0o600))
      await expectStatus(.failedPrecondition, "not empty") {
        _ = try await bench.call(
          CSI.NodeService.nodeUnpublishVolume, .init(volumeID: id, targetPath: target))
      }
      unlink(target + "/file")
    }
  }

  @Test func `corrupt blocks show in a volume's condition`() async throws {
    try await onSocket { bench, node in
      let created = try await bench.call(
        CSI.ControllerService.createVolume, .init(name: "a", volumeCapabilities: [.mount()]))
      node.state.withLock { $0.corruptBlocks = ["object 17, block 3"] }
      let answer = try await bench.call(
        CSI.ControllerService.controllerGetVolume,
        .init(volumeID: created.volume?.volumeID ?? ""))
      #expect(answer.status?.volumeCondition?.abnormal == true)
      #expect(answer.status?.volumeCondition?.message.contains("object 17, block 3") == true)
    }
  }
}

/// The one node's place, as CSI has it.
enum NodePlaces {
  static let first = CSI.Topology(segments: [
    "topology.galleonfs.io/node": "node-1", "topology.galleonfs.io/zone": "zone-a",
  ])
}

/// Expects a call over the socket to fail with a code and words in its message.
func expectStatus(
  _ code: GRPCCode, _ words: String = "", sourceLocation: SourceLocation = #_sourceLocation,
  _ call: () async throws -> Void
) async {
  do {
    try await call()
    Issue.record("succeeded instead of \(code)", sourceLocation: sourceLocation)
  } catch let status as GRPCStatus {
    #expect(status.code == code, "\(status)", sourceLocation: sourceLocation)
    #expect(
      words.isEmpty || status.message.contains(words), "\(status)", sourceLocation: sourceLocation)
  } catch {
    Issue.record("\(error)", sourceLocation: sourceLocation)
  }
}
