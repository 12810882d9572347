internal import ClusterControl
internal import DaemonConfiguration
internal import Messages
internal import NodeRuntime
internal import StorageModel

/// `galleonfs.v1.VFS`
struct VFSService: Sendable {
  let context: ControlContext

  func mount(_ request: Control.MountVFSRequest) async throws(Refusal) -> Control.MountVFSResponse {
    let record = try await Mounting(context: context).mount(
      request.volume, at: request.mountPoint, options: [], isReadOnly: request.readOnly)
    var response = Control.MountVFSResponse()
    response.mount = try await messages([record.mount]).first
    return response
  }

  func unmount(_ request: Control.UnmountVFSRequest) async throws(Refusal)
    -> Control.UnmountVFSResponse
  {
    var response = Control.UnmountVFSResponse()
    response.mountPoints = try await Mounting(context: context).unmount(
      request.volumeOrPath, force: request.force)
    return response
  }

  func list(_ request: Control.ListVFSRequest) async throws(Refusal) -> Control.ListVFSResponse {
    var response = Control.ListVFSResponse()
    response.mounts = try await messages(Mounting(context: context).mounts(of: ""))
    return response
  }

  func status(_ request: Control.VFSStatusRequest) async throws(Refusal)
    -> Control.VFSStatusResponse
  {
    let mounts = try await Mounting(context: context).mounts(of: request.volumeOrPath)
    if mounts.isEmpty, !request.volumeOrPath.isEmpty {
      throw .notFound("volume \(request.volumeOrPath) is mounted nowhere on this node")
    }
    var response = Control.VFSStatusResponse()
    response.mounts = try await messages(mounts)
    return response
  }

  func sync(_ request: Control.SyncVFSRequest) async throws(Refusal) -> Control.SyncVFSResponse {
    let entry: VolumeEntry? =
      request.volume.isEmpty ? nil : try await context.controller.find(request.volume)
    try await refusing { () async throws(NodeError) in try await context.node.sync(entry?.id) }
    var response = Control.SyncVFSResponse()
    for status in await context.node.volumes() {
      guard entry == nil || entry?.id == status.specification.id else { continue }
      var synced = Control.SyncVFSResponse.Synced()
      synced.volumeID = status.specification.id.description
      synced.volumeName = status.specification.name
      synced.syncedAt = status.lastSync.map { WellKnown.Timestamp($0) }
      response.volumes.append(synced)
    }
    return response
  }

  private func messages(_ mounts: [MountRecord]) async throws(Refusal) -> [Control.VFSMount] {
    let words = VolumeMessages(context.daemon.facts)
    var messages: [Control.VFSMount] = []
    for mount in mounts {
      let status = try await refusing { () async throws(NodeError) in
        try await context.node.status(of: mount.volume)
      }
      messages.append(words.vfsMount(mount, status))
    }
    return messages
  }
}
