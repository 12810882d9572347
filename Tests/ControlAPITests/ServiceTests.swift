import ClusterControl
import DaemonConfiguration
import Messages
import NodeRuntime
import StorageModel
import Synchronization
import Testing

@testable import ControlAPI

@Suite struct ServiceTests {
  let node = FakeNode()
  let process: FakeProcess
  let context: ControlContext

  init() throws {
    process = try FakeProcess()
    context = ControlContext(
      node: node,
      controller: VolumeController(
        catalog: VolumeCatalog(MemoryStore()), host: LocalReplicaHost(node), nodeID: "id-a",
        configuration: process.configuration, now: { Timestamp(seconds: 9, nanoseconds: 0) }),
      daemon: process, autoMounter: nil)
  }

  private var volumes: VolumesService { VolumesService(context: context) }
  private var vfs: VFSService { VFSService(context: context) }

  private func create(_ name: String, class className: String = "fast-local-ssd") async throws
    -> Control.CreateVolumeResponse
  {
    var request = Control.CreateVolumeRequest()
    request.name = name
    request.capacityBytes = 1 << 30
    request.storageClass = className
    return try await volumes.create(request)
  }

  private func kind<Result>(_ body: () async throws -> Result) async -> Refusal.Kind? {
    do {
      _ = try await body()
      return nil
    } catch { return (error as? Refusal)?.kind }
  }

  @Test func `a volume of the standard class is made degraded and says so everywhere`() async throws
  {
    let answer = try await create("data", class: "")
    let volume = try #require(answer.volume)
    #expect(volume.storageClass == "encrypted-storage" && volume.encryption == .aes256GCM)
    #expect(volume.replicasWanted == 3 && volume.replicasInSync == 1)
    #expect(volume.condition?.degraded == true)
    #expect(answer.warnings.contains { $0.hasPrefix("degraded") })
    #expect(volume.state == .available && volume.primaryNode == "node-a")
    #expect(volume.reclaimPolicy == .retain && volume.epoch == 1 && volume.usedBytes == 4096)
    let status = try await ClusterService(context: context).status(.init())
    #expect(status.degradedVolumes == 1 && !status.healthy)
  }

  @Test func `parameters and block size of the request beat the class`() async throws {
    var request = Control.CreateVolumeRequest()
    request.name = "data"
    request.capacityBytes = 1 << 30
    request.storageClass = "fast-local-ssd"
    request.blockSizeBytes = 65536
    request.parameters = ["encryption": "true", "replication_strategy": "asynchronous"]
    let volume = try #require(try await volumes.create(request).volume)
    #expect(volume.blockSizeBytes == 65536 && volume.encryption == .aes256GCM)
    #expect(volume.replicationStrategy == .asynchronous)
    request.name = "other"
    request.parameters = ["colour": "red"]
    #expect(await kind { try await volumes.create(request) } == .invalid)
  }

  @Test func `unknown numbers of enumerations are refused`() async {
    var request = Control.CreateVolumeRequest()
    request.capacityBytes = 1 << 30
    request.type = .unrecognized(99)
    #expect(await kind { try await volumes.create(request) } == .invalid)
  }

  @Test func `pages go on where the last one ended`() async throws {
    for name in ["b", "a", "d", "c"] { _ = try await create(name) }
    var request = Control.ListVolumesRequest()
    request.pageSize = 3
    let first = try await volumes.list(request)
    #expect(first.volumes.map(\.name) == ["a", "b", "c"] && first.nextPageToken == "c")
    var deletion = Control.DeleteVolumeRequest()
    deletion.volume = "c"
    _ = try await volumes.delete(deletion)
    request.pageToken = first.nextPageToken
    let second = try await volumes.list(request)
    #expect(second.volumes.map(\.name) == ["d"] && second.nextPageToken.isEmpty)
  }

  @Test func `mounting merges options and tells the path without dots`() async throws {
    _ = try await create("data")
    var request = Control.MountVolumeRequest()
    request.volume = "data"
    request.path = "/app/x/../web//data/."
    request.options = ["ro", "noatime", "sync"]
    let answer = try await volumes.mount(request)
    #expect(answer.mount?.path == "/app/web/data" && answer.mount?.readOnly == true)
    #expect(answer.mount?.options == ["noatime", "sync"])
    var query = Control.GetVolumeRequest()
    query.volume = "data"
    #expect(try await volumes.get(query).volume?.state == .inUse)
  }

  @Test(arguments: [
    ("relative", []), ("", []), ("/", []), ("/a/..", []),
    ("/" + String(repeating: "x", count: 5000), []),
    ("/x\u{0}y", []), ("/x", ["shiny"]), ("/x", ["ro", "rw"]),
  ])
  func `a bad path or option is refused before anything is done`(
    path: String, options: [String]
  ) async throws {
    _ = try await create("data")
    var request = Control.MountVolumeRequest()
    request.volume = "data"
    request.path = path
    request.options = options
    #expect(await kind { try await volumes.mount(request) } == .invalid)
    #expect(await node.mounts().isEmpty)
  }

  @Test func `insisting on encryption is refused for a plain volume`() async throws {
    _ = try await create("plain")
    _ = try await create("secret", class: "encrypted-storage")
    var request = Control.MountVolumeRequest()
    request.path = "/app/data"
    request.options = ["rw", "encrypted"]
    request.volume = "plain"
    #expect(await kind { try await volumes.mount(request) } == .precondition)
    request.volume = "secret"
    _ = try await volumes.mount(request)
  }

  @Test func `unmounting by name ends all mounts, by path one`() async throws {
    _ = try await create("data")
    for path in ["/m/1", "/m/2", "/m/3"] {
      var request = Control.MountVFSRequest()
      request.volume = "data"
      request.mountPoint = path
      _ = try await vfs.mount(request)
    }
    var request = Control.UnmountVFSRequest()
    request.volumeOrPath = "/m/2/"
    #expect(try await vfs.unmount(request).mountPoints == ["/m/2"])
    request.volumeOrPath = "data"
    #expect(try await vfs.unmount(request).mountPoints == ["/m/1", "/m/3"])
    #expect(await kind { try await vfs.unmount(request) } == .notFound)
    request.volumeOrPath = "/elsewhere"
    #expect(await kind { try await vfs.unmount(request) } == .notFound)
  }

  @Test func `vfs status tells files, directories and the last sync`() async throws {
    _ = try await create("data")
    var request = Control.MountVFSRequest()
    request.volume = "data"
    request.mountPoint = "/m"
    _ = try await vfs.mount(request)
    var query = Control.VFSStatusRequest()
    query.volumeOrPath = "data"
    let mount = try #require(try await vfs.status(query).mounts.first)
    #expect(mount.files == 1247 && mount.directories == 42 && mount.state == .active)
    #expect(mount.lastSyncedAt?.seconds == 5 && mount.totalSizeBytes == 4096)
    query.volumeOrPath = "nothing"
    #expect(await kind { try await vfs.status(query) } == .notFound)
  }

  @Test func `corrupt blocks and a read-only volume show in its condition`() async throws {
    let id = try #require(VolumeID(try await create("data").volume?.id ?? ""))
    node.state.withLock {
      $0.volumes[id]?.corruptBlocks = ["object 17, block 3"]
      $0.volumes[id]?.readOnlyReason = "sync failed"
    }
    var query = Control.GetVolumeRequest()
    query.volume = "data"
    let condition = try #require(try await volumes.get(query).volume?.condition)
    #expect(condition.readOnly && condition.messages.contains { $0.contains("sync failed") })
    #expect(condition.corruptBlocks.first?.object == 17)
    #expect(condition.corruptBlocks.first?.block == 3)
  }

  @Test func `deleting by force ends all mounts, and the automatic one comes back if it fails`()
    async throws
  {
    let mounter = FakeAutoMounter(node: node)
    let controller = VolumeController(
      catalog: context.controller.catalog, host: LocalReplicaHost(node, autoMounter: mounter),
      nodeID: "id-a", configuration: process.configuration,
      now: { Timestamp(seconds: 9, nanoseconds: 0) })
    let volumes = VolumesService(
      context: ControlContext(
        node: node, controller: controller, daemon: process, autoMounter: mounter))
    var request = Control.CreateVolumeRequest()
    request.name = "data"
    request.capacityBytes = 1 << 30
    request.storageClass = "fast-local-ssd"
    _ = try await volumes.create(request)
    #expect(await node.mounts().map(\.path) == ["/auto/data"])
    var deletion = Control.DeleteVolumeRequest()
    deletion.volume = "data"
    #expect(await kind { try await volumes.delete(deletion) } == .precondition)
    deletion.force = true
    node.state.withLock { $0.failure = .host("unmount: Device or resource busy") }
    #expect(await kind { try await volumes.delete(deletion) } == .precondition)
    #expect(await node.mounts().count == 1)
    #expect(try await volumes.delete(deletion).name == "data")
    #expect(await node.mounts().isEmpty)
    // CSI, which knows nothing of automatic mounts, is not hindered by them.
    _ = try await volumes.create(request)
    _ = try await controller.delete("data")
    #expect(await node.mounts().isEmpty)
  }

  @Test func `a volume that somebody mounted is deleted only by force`() async throws {
    _ = try await create("data")
    var mount = Control.MountVFSRequest()
    mount.volume = "data"
    mount.mountPoint = "/m"
    _ = try await vfs.mount(mount)
    var deletion = Control.DeleteVolumeRequest()
    deletion.volume = "data"
    #expect(await kind { try await volumes.delete(deletion) } == .precondition)
    deletion.force = true
    _ = try await volumes.delete(deletion)
  }

  @Test func `what needs several nodes is refused clearly`() async {
    let cluster = ClusterService(context: context)
    #expect(await kind { try await cluster.join(.init()) } == .precondition)
    #expect(await kind { try await cluster.leave(.init()) } == .precondition)
  }

  @Test func `the daemon tells its settings and their sources and can be stopped`() async throws {
    let daemon = DaemonService(context: context)
    let config = try await daemon.config(.init())
    #expect(config.settings.count == Setting.allCases.count)
    #expect(config.settings.allSatisfy { $0.source == .default })
    #expect(config.settings.first { $0.key == "log_level" }?.reloadable == true)
    let status = try await daemon.status(.init())
    #expect(status.state == .ready && status.version == "9.9.9" && status.pools.count == 1)
    #expect(status.messages.contains { $0.contains("one pool") })
    _ = try await daemon.stop(.init())
    _ = try await daemon.restart(.init())
    #expect(process.requests.withLock { $0 } == ["stop false", "restart false"])
  }

  @Test func `classes come and go through the service`() async throws {
    let classes = StorageClassesService(context: context)
    let all = try await classes.list(.init()).storageClasses
    #expect(all.map(\.name) == ["distributed", "encrypted-storage", "fast-local-ssd", "local-hdd"])
    #expect(all.filter(\.isDefault).map(\.name) == ["encrypted-storage"])
    var request = Control.CreateStorageClassRequest()
    #expect(await kind { try await classes.create(request) } == .invalid)
    var own = Control.StorageClass()
    own.name = "mine"
    own.parameters = ["replication": "2"]
    request.storageClass = own
    let created = try #require(try await classes.create(request).storageClass)
    #expect(created.provisioner == "csi.galleonfs.io" && created.reclaimPolicy == .delete)
    #expect(await kind { try await classes.create(request) } == .alreadyExists)
  }
}
