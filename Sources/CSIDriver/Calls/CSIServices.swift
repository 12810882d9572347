package import GRPC
import Messages

/// CSI as gRPC methods.
///
/// A process serves Identity always, Controller and Node as its role is; what belongs to snapshots
/// is served beside Controller and answers UNIMPLEMENTED.
package struct CSIServices: Sendable {
  private let identity: IdentityService
  private let controller: ControllerService?
  private let node: NodeService?

  package init(identity: IdentityService, controller: ControllerService?, node: NodeService?) {
    self.identity = identity
    self.controller = controller
    self.node = node
  }

  /// Adds the methods of all services that are served.
  package func register(on router: inout GRPCRouter) {
    addIdentity(to: &router)
    if let controller {
      Self.add(controller, to: &router)
      Self.addSnapshots(controller, to: &router)
      Self.addSnapshotServices(to: &router)
    }
    if let node { Self.add(node, to: &router) }
  }

  private func addIdentity(to router: inout GRPCRouter) {
    typealias Service = CSI.IdentityService
    let identity = identity
    router.answer(Service.getPluginInfo) { request, _ in identity.getPluginInfo(request) }
    router.answer(Service.getPluginCapabilities) { request, _ in
      identity.getPluginCapabilities(request)
    }
    router.answer(Service.probe) { request, _ in try await identity.probe(request) }
  }

  private static func add(_ controller: ControllerService, to router: inout GRPCRouter) {
    typealias Service = CSI.ControllerService
    router.answer(Service.controllerGetCapabilities) { request, _ in
      controller.getCapabilities(request)
    }
    router.answer(Service.createVolume) { try await controller.createVolume($0, timeout: $1) }
    router.answer(Service.deleteVolume) { try await controller.deleteVolume($0, timeout: $1) }
    router.answer(Service.controllerPublishVolume) {
      try await controller.publishVolume($0, timeout: $1)
    }
    router.answer(Service.controllerUnpublishVolume) {
      try await controller.unpublishVolume($0, timeout: $1)
    }
    router.answer(Service.validateVolumeCapabilities) {
      try await controller.validateVolumeCapabilities($0, timeout: $1)
    }
    router.answer(Service.listVolumes) { try await controller.listVolumes($0, timeout: $1) }
    router.answer(Service.getCapacity) { try await controller.getCapacity($0, timeout: $1) }
    router.answer(Service.controllerExpandVolume) {
      try await controller.expandVolume($0, timeout: $1)
    }
    router.answer(Service.controllerGetVolume) { try await controller.getVolume($0, timeout: $1) }
    router.answer(Service.controllerModifyVolume) { request, _ in
      try controller.modifyVolume(request)
    }
  }

  private static func add(_ node: NodeService, to router: inout GRPCRouter) {
    typealias Service = CSI.NodeService
    router.answer(Service.nodeGetCapabilities) { request, _ in node.getCapabilities(request) }
    router.answer(Service.nodeGetInfo) { request, _ in node.getInfo(request) }
    router.answer(Service.nodeStageVolume) { try await node.stageVolume($0, timeout: $1) }
    router.answer(Service.nodeUnstageVolume) { try await node.unstageVolume($0, timeout: $1) }
    router.answer(Service.nodePublishVolume) { try await node.publishVolume($0, timeout: $1) }
    router.answer(Service.nodeUnpublishVolume) { try await node.unpublishVolume($0, timeout: $1) }
    router.answer(Service.nodeGetVolumeStats) { try await node.getVolumeStats($0, timeout: $1) }
    router.answer(Service.nodeExpandVolume) { try await node.expandVolume($0, timeout: $1) }
  }
}

// Snapshots are not offered yet.
extension CSIServices {
  private static func addSnapshots(
    _ controller: ControllerService, to router: inout GRPCRouter
  ) {
    typealias Service = CSI.ControllerService
    router.answer(Service.createSnapshot) { request, _ in try controller.createSnapshot(request) }
    router.answer(Service.deleteSnapshot) { request, _ in try controller.deleteSnapshot(request) }
    router.answer(Service.listSnapshots) { request, _ in try controller.listSnapshots(request) }
    router.answer(Service.getSnapshot) { request, _ in try controller.getSnapshot(request) }
  }

  private static func addSnapshotServices(to router: inout GRPCRouter) {
    typealias Group = CSI.GroupControllerService
    let group = "CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT"
    router.answer(Group.groupControllerGetCapabilities) { _, _ in .init() }
    router.refuse(Group.createVolumeGroupSnapshot, lacking: group)
    router.refuse(Group.deleteVolumeGroupSnapshot, lacking: group)
    router.refuse(Group.getVolumeGroupSnapshot, lacking: group)
    let metadata = "SNAPSHOT_METADATA_SERVICE"
    router.refuseStream(CSI.SnapshotMetadataService.getMetadataAllocated, lacking: metadata)
    router.refuseStream(CSI.SnapshotMetadataService.getMetadataDelta, lacking: metadata)
  }
}

extension GRPCRouter {
  /// Answers a method; the second argument of `handler` is what is left of the deadline.
  fileprivate mutating func answer<Request: Message, Response: Message>(
    _ method: RPCMethod<Request, Response>,
    _ handler:
      @escaping @Sendable (Request, Duration?) async throws -> Response
  ) {
    unary(method.service, method.name, request: .protobuf, response: .protobuf) {
      request, context in try await handler(request, context.remainingTime)
    }
  }

  fileprivate mutating func refuse<Request: Message, Response: Message>(
    _ method: RPCMethod<Request, Response>, lacking capability: String
  ) {
    answer(method) { _, _ in
      throw CallError.unimplemented(
        "\(method.name): the capability \(capability) is not offered yet")
    }
  }

  fileprivate mutating func refuseStream<Request: Message, Response: Message>(
    _ method: RPCMethod<Request, Response>, lacking capability: String
  ) {
    serverStreaming(
      method.service, method.name, request: MessageCodec<Request>.protobuf,
      response: MessageCodec<Response>.protobuf
    ) { _, _, _ in
      throw CallError.unimplemented(
        "\(method.name): the capability \(capability) is not offered yet")
    }
  }
}

extension MessageCodec where Message: Messages.Message {
  fileprivate static var protobuf: MessageCodec {
    MessageCodec(
      decode: { try Message(serializedBytes: $0) }, encode: { $0.serializedBytes() })
  }
}
