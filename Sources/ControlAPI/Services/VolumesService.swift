internal import ClusterControl
internal import DaemonConfiguration
internal import Messages
internal import NodeRuntime
internal import StorageModel

/// `galleonfs.v1.Volumes`
struct VolumesService: Sendable {
  let context: ControlContext

  private static let standardPageSize = 100
  private static let maximumPageSize = 1000

  func create(_ request: Control.CreateVolumeRequest) async throws(Refusal)
    -> Control.CreateVolumeResponse
  {
    let className =
      request.storageClass.isEmpty ? BuiltInStorageClasses.standardName : request.storageClass
    var storageClass = try await context.controller.storageClass(className)
    for (name, value) in request.parameters {
      storageClass.parameters[StorageClassFile.camelCase(name)] = value
    }
    if request.blockSizeBytes > 0 {
      storageClass.parameters["blockSize"] = "\(request.blockSizeBytes)"
    }
    let volume = VolumeRequest(
      name: request.name.isEmpty ? nil : request.name, sizeBytes: request.capacityBytes,
      type: try VolumeType(request.type) ?? .persistent,
      content: try VolumeContent(request.content),
      replicaCount: request.replicas == 0 ? nil : Int(request.replicas))
    let creation = try await context.controller.create(
      volume, class: storageClass, labels: request.labels)
    var response = Control.CreateVolumeResponse()
    response.warnings = creation.remarks
    if let fault = await context.autoMounter?.mount(creation.entry.specification) {
      response.warnings.append("created, but not mounted: \(fault)")
    }
    response.volume = await message(creation.entry)
    return response
  }

  func list(_ request: Control.ListVolumesRequest) async throws(Refusal)
    -> Control.ListVolumesResponse
  {
    let size =
      request.pageSize == 0
      ? Self.standardPageSize : min(Int(request.pageSize), Self.maximumPageSize)
    let entries = try await context.controller.volumes().filter { entry in
      // A token is the last name of the page before: pages hold while volumes come and go.
      (request.pageToken.isEmpty || entry.name > request.pageToken)
        && (request.storageClass.isEmpty
          || entry.specification.storageClassName == request.storageClass)
        && request.labels.allSatisfy { entry.labels[$0.key] == $0.value }
    }
    var statuses: [VolumeID: VolumeStatus] = [:]
    for status in await context.node.volumes() { statuses[status.specification.id] = status }
    var response = Control.ListVolumesResponse()
    response.volumes = entries.prefix(size).map { messages.volume($0, statuses[$0.id]) }
    if entries.count > size { response.nextPageToken = entries[size - 1].name }
    return response
  }

  func get(_ request: Control.GetVolumeRequest) async throws(Refusal) -> Control.GetVolumeResponse {
    var response = Control.GetVolumeResponse()
    response.volume = await message(try await context.controller.find(request.volume))
    return response
  }

  func delete(_ request: Control.DeleteVolumeRequest) async throws(Refusal)
    -> Control.DeleteVolumeResponse
  {
    let entry = try await context.controller.find(request.volume)
    let paths = await context.node.mounts().filter { $0.volume == entry.id }.map(\.path)
    if !paths.isEmpty, !request.force {
      throw .precondition(
        "volume \(entry.name) is in use at \(paths.joined(separator: ", ")); unmount it first, or "
          + "use --force")
    }
    for path in paths { try await Mounting(context: context).unmount(path: path, force: false) }
    do throws(Refusal) {
      _ = try await context.controller.delete(entry.id.description)
    } catch {
      _ = await context.autoMounter?.mount(entry.specification)
      throw error
    }
    var response = Control.DeleteVolumeResponse()
    response.id = entry.id.description
    response.name = entry.name
    return response
  }

  func expand(_ request: Control.ExpandVolumeRequest) async throws(Refusal)
    -> Control.ExpandVolumeResponse
  {
    var response = Control.ExpandVolumeResponse()
    response.volume = await message(
      try await context.controller.expand(request.volume, toBytes: request.capacityBytes))
    return response
  }

  func mount(_ request: Control.MountVolumeRequest) async throws(Refusal)
    -> Control.MountVolumeResponse
  {
    let record = try await Mounting(context: context).mount(
      request.volume, at: request.path, options: request.options, isReadOnly: request.readOnly)
    var response = Control.MountVolumeResponse()
    response.mount = messages.mount(record.mount)
    response.id = record.entry.id.description
    response.name = record.entry.name
    return response
  }

  func unmount(_ request: Control.UnmountVolumeRequest) async throws(Refusal)
    -> Control.UnmountVolumeResponse
  {
    var response = Control.UnmountVolumeResponse()
    response.paths = try await Mounting(context: context).unmount(
      request.volumeOrPath, force: request.force)
    return response
  }

  private var messages: VolumeMessages { VolumeMessages(context.daemon.facts) }

  private func message(_ entry: VolumeEntry) async -> Control.Volume {
    let status = try? await context.node.status(of: entry.id)  // nil: not held, and said so
    return messages.volume(entry, status)
  }
}

extension VolumeMessages {
  init(_ facts: DaemonFacts) {
    self.init(nodeName: facts.nodeName, nodeID: facts.nodeID)
  }
}
