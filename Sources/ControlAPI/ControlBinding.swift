package import DaemonConfiguration
package import GRPC
internal import Messages

/// Puts the services of the control API on a router.
package enum ControlBinding {
  /// Full names of the services, for health and reflection.
  package static let services = [
    Control.ClusterService.fullName, Control.DaemonService.fullName,
    Control.StorageClassesService.fullName, Control.VFSService.fullName,
    Control.VolumesService.fullName,
  ]

  package static func add(to router: inout GRPCRouter, _ context: ControlContext) {
    addVolumes(to: &router, VolumesService(context: context))
    addVFS(to: &router, VFSService(context: context))
    addDaemon(to: &router, DaemonService(context: context))
    addClusterAndClasses(to: &router, context)
  }

  private static func addVolumes(to router: inout GRPCRouter, _ service: VolumesService) {
    typealias Methods = Control.VolumesService
    router.bind(Methods.create) { (request) throws(Refusal) in try await service.create(request) }
    router.bind(Methods.list) { (request) throws(Refusal) in try await service.list(request) }
    router.bind(Methods.get) { (request) throws(Refusal) in try await service.get(request) }
    router.bind(Methods.delete) { (request) throws(Refusal) in try await service.delete(request) }
    router.bind(Methods.mount) { (request) throws(Refusal) in try await service.mount(request) }
    router.bind(Methods.unmount) { (request) throws(Refusal) in try await service.unmount(request) }
    router.bind(Methods.expand) { (request) throws(Refusal) in try await service.expand(request) }
  }

  private static func addVFS(to router: inout GRPCRouter, _ service: VFSService) {
    typealias Methods = Control.VFSService
    router.bind(Methods.mount) { (request) throws(Refusal) in try await service.mount(request) }
    router.bind(Methods.unmount) { (request) throws(Refusal) in try await service.unmount(request) }
    router.bind(Methods.list) { (request) throws(Refusal) in try await service.list(request) }
    router.bind(Methods.status) { (request) throws(Refusal) in try await service.status(request) }
    router.bind(Methods.sync) { (request) throws(Refusal) in try await service.sync(request) }
  }

  private static func addDaemon(to router: inout GRPCRouter, _ service: DaemonService) {
    typealias Methods = Control.DaemonService
    router.bind(Methods.status) { (request) throws(Refusal) in try await service.status(request) }
    router.bind(Methods.config) { (request) throws(Refusal) in try await service.config(request) }
    router.bind(Methods.stop) { (request) throws(Refusal) in try await service.stop(request) }
    router.bind(Methods.restart) { (request) throws(Refusal) in try await service.restart(request) }
  }

  private static func addClusterAndClasses(
    to router: inout GRPCRouter, _ context: ControlContext
  ) {
    typealias Cluster = Control.ClusterService
    let cluster = ClusterService(context: context)
    router.bind(Cluster.status) { (request) throws(Refusal) in try await cluster.status(request) }
    router.bind(Cluster.peers) { (request) throws(Refusal) in try await cluster.peers(request) }
    router.bind(Cluster.join) { (request) throws(Refusal) in try await cluster.join(request) }
    router.bind(Cluster.leave) { (request) throws(Refusal) in try await cluster.leave(request) }
    typealias Classes = Control.StorageClassesService
    let classes = StorageClassesService(context: context)
    router.bind(Classes.list) { (request) throws(Refusal) in try await classes.list(request) }
    router.bind(Classes.create) { (request) throws(Refusal) in try await classes.create(request) }
    router.bind(Classes.get) { (request) throws(Refusal) in try await classes.get(request) }
    router.bind(Classes.delete) { (request) throws(Refusal) in try await classes.delete(request) }
  }
}

extension GRPCRouter {
  fileprivate mutating func bind<Request: Message, Response: Message>(
    _ method: RPCMethod<Request, Response>,
    _ handler: @escaping @Sendable (Request) async throws(Refusal) -> Response
  ) {
    unary(method.service, method.name, request: .message(), response: .message()) { request, _ in
      do throws(Refusal) {
        return try await handler(request)
      } catch {
        throw GRPCStatus(error)
      }
    }
  }
}

extension MessageCodec where Message: Messages.Message {
  fileprivate static func message() -> MessageCodec {
    MessageCodec(
      decode: { try Message(serializedBytes: $0) }, encode: { $0.serializedBytes() })
  }
}

// The one table from refusals to the codes of gRPC.
extension GRPCStatus {
  package init(_ refusal: Refusal) {
    self.init(Self.code(of: refusal.kind), refusal.message)
  }

  private static func code(of kind: Refusal.Kind) -> GRPCCode {
    switch kind {
    case .invalid: .invalidArgument
    case .outOfRange: .outOfRange
    case .notFound: .notFound
    case .alreadyExists: .alreadyExists
    case .precondition: .failedPrecondition
    case .busy: .aborted
    case .unavailable: .unavailable
    case .exhausted: .resourceExhausted
    case .unauthenticated: .unauthenticated
    case .internal: .internal
    }
  }
}
