import Synchronization

/// Whether a service can be used, as `grpc.health.v1` says it.
package enum ServingStatus: UInt64, Sendable {
  case unknown = 0
  case serving = 1
  case notServing = 2
  /// Only told to watchers of a service that nobody registered.
  case serviceUnknown = 3
}

/// The standard health service `grpc.health.v1.Health`.
///
/// Add it to the router, then `set` what is served; the empty name stands for the server as a
/// whole and is `notServing` until set.
package final class HealthService: Sendable {
  package static let fullName = "grpc.health.v1.Health"

  private struct State {
    var statuses: [String: ServingStatus] = ["": .notServing]
    var watchers: [Int: (service: String, continuation: AsyncStream<ServingStatus>.Continuation)] =
      [:]
    var lastWatcher = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Tells what a service's status is from now on; watchers hear of a change.
  package func set(_ status: ServingStatus, service: String = "") {
    state.withLock { state in
      guard state.statuses.updateValue(status, forKey: service) != status else { return }
      for watcher in state.watchers.values where watcher.service == service {
        watcher.continuation.yield(status)
      }
    }
  }

  /// nil for a service that was never set.
  package func status(of service: String) -> ServingStatus? {
    state.withLock { $0.statuses[service] }
  }

  /// Registers `Check` and `Watch`.
  package func register(in router: inout GRPCRouter) {
    router.unary(Self.fullName, "Check", request: Self.request, response: Self.response) {
      [self] service, _ in
      guard let status = status(of: service) else {
        throw GRPCStatus(.notFound, "no service \"\(service)\" is registered")
      }
      return status
    }
    router.serverStreaming(
      Self.fullName, "Watch", request: Self.request, response: Self.response, endsAtShutdown: true
    ) { [self] service, responses, _ in
      for await status in watch(service) { try await responses.send(status) }
      try Task.checkCancellation()
    }
  }

  /// The current status, then each later one; a slow reader misses all but the newest.
  private func watch(_ service: String) -> AsyncStream<ServingStatus> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: ServingStatus.self, bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state in
      state.lastWatcher += 1
      state.watchers[state.lastWatcher] = (service, continuation)
      continuation.yield(state.statuses[service] ?? .serviceUnknown)
      return state.lastWatcher
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { $0.watchers[number] = nil }
    }
    return stream
  }
}

// Messages. HealthCheckRequest: 1 service, string. HealthCheckResponse: 1 status, enumeration.
extension HealthService {
  /// The name of the service that is asked for.
  package static let request = MessageCodec<String>(
    decode: { bytes in
      var reader = ProtobufReader(bytes[...])
      var service = ""
      while let (number, value) = try reader.next() {
        if number == 1 { service = try value.requireText("service") }
      }
      return service
    },
    encode: { service in
      var writer = ProtobufWriter()
      if !service.isEmpty { writer.text(1, service) }
      return writer.bytes
    })

  package static let response = MessageCodec<ServingStatus>(
    decode: { bytes in
      var reader = ProtobufReader(bytes[...])
      var status = ServingStatus.unknown
      while let (number, value) = try reader.next() {
        if number == 1 {
          status = ServingStatus(rawValue: try value.requireNumber("status")) ?? .unknown
        }
      }
      return status
    },
    encode: { status in
      var writer = ProtobufWriter()
      if status != .unknown { writer.number(1, status.rawValue) }
      return writer.bytes
    })
}
