import GRPC
import Messages
import Synchronization

/// The members of a cluster that a client knows, and which of them it uses.
final class EndpointSet: Sendable {
  let endpoints: [String]
  private let channels: [GRPCChannel]
  private let preferred = Mutex(0)

  /// How long one attempt may take before the next endpoint is asked, where it may be asked again.
  private static let attemptTimeout: Duration = .seconds(2)
  /// How long connecting to one of several endpoints may take.
  private static let connectTimeout: Duration = .seconds(1)
  /// Pause after no endpoint could be reached.
  private static let roundPause: Duration = .milliseconds(100)

  init(_ endpoints: [String], security: ClientSecurity?) throws(EtcdError) {
    guard !endpoints.isEmpty else { throw .invalidEndpoint("") }
    self.endpoints = endpoints
    var options = ChannelOptions()
    options.maximumReceivedMessageByteCount = 64 << 20
    options.maximumReconnectBackoff = .seconds(1)
    options.connectTimeout = Self.connectTimeout
    // etcd disconnects clients that ping more often than every 5 seconds.
    options.keepalive = Keepalive(interval: .seconds(10), timeout: .seconds(3))
    var channels: [GRPCChannel] = []
    for endpoint in endpoints {
      let (address, scheme) = try Self.parse(endpoint)
      let security = security ?? (scheme == "https" ? .tls(rootsPEM: nil) : .insecure)
      do throws(GRPCStatus) {
        channels.append(try GRPCChannel(to: address, security: security, options: options))
      } catch {
        throw .refused(operation: "connecting to \(endpoint)", error)
      }
    }
    self.channels = channels
  }

  private static func parse(
    _ endpoint: String
  ) throws(EtcdError) -> (TransportAddress, scheme: String) {
    var rest = endpoint[...]
    var scheme = "http"
    for known in ["http", "https"] where endpoint.hasPrefix("\(known)://") {
      scheme = known
      rest = endpoint.dropFirst(known.count + 3)
    }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    guard case .tcp(let host, let port)? = TransportAddress(String(rest)), port != 0 else {
      throw .invalidEndpoint(endpoint)
    }
    return (.tcp(host: host, port: port), scheme)
  }

  /// A channel that is connected, the preferred one first.
  ///
  /// Throws `unreachable` when none can be connected until the deadline.
  func connectedChannel(
    until deadline: ContinuousClock.Instant, _ operation: String
  ) async throws(EtcdError) -> GRPCChannel {
    while true {
      let first = preferred.withLock { $0 }
      for offset in channels.indices {
        let index = (first + offset) % channels.count
        let left = ContinuousClock.now.duration(to: deadline)
        if await channels[index].connect(within: min(Self.connectTimeout, left)) {
          preferred.withLock { $0 = index }
          return channels[index]
        }
      }
      if Task.isCancelled { throw .cancelled(operation: operation) }
      guard ContinuousClock.now + Self.roundPause < deadline else {
        throw .unreachable(endpoints: endpoints, reason: "no connection for \(operation)")
      }
      // A cancelled sleep is noticed in the next round.
      try? await Task.sleep(for: Self.roundPause)
    }
  }

  /// Uses another endpoint than this channel's from now on.
  func avoid(_ channel: GRPCChannel) {
    preferred.withLock { preferred in
      if channels[preferred] === channel { preferred = (preferred + 1) % channels.count }
    }
  }

  /// One request, one answer.
  ///
  /// A request that changes nothing is asked again at other endpoints until `timeout`; one that
  /// does is sent once, after a connection was made.
  func call<Request: Messages.Message, Response: Messages.Message>(
    _ method: RPCMethod<Request, Response>, _ request: Request, changes: Bool, timeout: Duration
  ) async throws(EtcdError) -> Response {
    let deadline = ContinuousClock.now + timeout
    while true {
      let channel = try await connectedChannel(until: deadline, method.path)
      let left = max(.milliseconds(1), ContinuousClock.now.duration(to: deadline))
      let options = CallOptions(timeout: changes ? left : min(left, Self.attemptTimeout))
      do throws(GRPCStatus) {
        let path = MethodPath(method.service, method.name)
        let reply = try await channel.unary(path, request.serializedBytes(), options: options)
        return try Self.decode(reply.message, method)
      } catch {
        let mayHelp = error.code == .unavailable || error.code == .deadlineExceeded
        if mayHelp { avoid(channel) }
        guard mayHelp, !changes, ContinuousClock.now < deadline else {
          throw Self.failure(error, method.path, changes: changes, endpoints)
        }
      }
    }
  }

  private static func decode<Request: Messages.Message, Response: Messages.Message>(
    _ bytes: [UInt8], _ method: RPCMethod<Request, Response>
  ) throws(GRPCStatus) -> Response {
    do {
      return try Response(serializedBytes: bytes)
    } catch {
      throw GRPCStatus(.dataLoss, error.description)
    }
  }

  private static func failure(
    _ status: GRPCStatus, _ operation: String, changes: Bool, _ endpoints: [String]
  ) -> EtcdError {
    switch status.code {
    case .unavailable where changes:
      .interrupted(operation: operation, reason: status.message)
    case .deadlineExceeded where changes:
      .interrupted(operation: operation, reason: "no answer in time")
    case .cancelled where changes: .interrupted(operation: operation, reason: "cancelled")
    case .unavailable: .unreachable(endpoints: endpoints, reason: status.message)
    case .deadlineExceeded: .deadline(operation: operation)
    case .cancelled: .cancelled(operation: operation)
    case .dataLoss: .malformed(operation: operation, reason: status.message)
    default: .refused(operation: operation, status)
    }
  }
}

extension MessageCodec where Message: Messages.Message {
  /// Protobuf.
  static var protobuf: MessageCodec {
    MessageCodec(
      decode: { try Message(serializedBytes: $0) }, encode: { $0.serializedBytes() })
  }
}
