import GRPC
import Messages

extension EtcdClient {
  /// Changes of all keys that begin with `prefix`, from `revision` on; nil for those after now.
  ///
  /// Throws `compacted` (from the sequence) when history from `revision` on is gone already.
  package func watch(
    prefix: String, fromRevision revision: Int64? = nil
  ) async throws(EtcdError) -> EtcdWatch {
    try await watch(
      key: rangeStart(prefix: prefix), rangeEnd: rangeEnd(prefix: prefix), revision)
  }

  /// Changes of one key.
  package func watch(
    key: String, fromRevision revision: Int64? = nil
  ) async throws(EtcdError) -> EtcdWatch {
    try await watch(key: Array(key.utf8), rangeEnd: [], revision)
  }

  private func watch(
    key: [UInt8], rangeEnd: [UInt8], _ revision: Int64?
  ) async throws(EtcdError) -> EtcdWatch {
    var first = revision
    if first == nil { first = try await currentRevision() + 1 }
    return EtcdWatch(endpoints: endpoints, key: key, rangeEnd: rangeEnd, revision: first ?? 1)
  }
}

/// Changes in order, each once, from a revision on. Iterate from one task.
///
/// When the connection breaks, it goes on elsewhere from the last revision, for as long as it
/// takes; so it ends only by an error: `compacted`, after which the caller must read anew,
/// `refused`, or `cancelled`. Nothing is buffered beyond one answer of etcd.
package struct EtcdWatch: AsyncSequence, Sendable {
  package typealias Element = EtcdEvent

  let endpoints: EndpointSet
  let key: [UInt8]
  let rangeEnd: [UInt8]
  /// The first revision of interest.
  let revision: Int64

  package func makeAsyncIterator() -> Iterator { Iterator(watch: self) }

  package struct Iterator: AsyncIteratorProtocol {
    private typealias Call = TypedCall<Etcd.WatchRequest, Etcd.WatchResponse>

    private let watch: EtcdWatch
    /// All before it was delivered or lies in `pending`.
    private var nextRevision: Int64
    /// In reverse order.
    private var pending: [EtcdEvent] = []
    private var call: Call?
    private var channel: GRPCChannel?

    /// Pause before a broken watch is made anew.
    private static let pause: Duration = .milliseconds(200)
    /// How long finding an endpoint may take before it is tried again.
    private static let connectTimeout: Duration = .seconds(5)

    init(watch: EtcdWatch) {
      self.watch = watch
      nextRevision = watch.revision
    }

    package mutating func next() async throws -> EtcdEvent? {
      while pending.isEmpty {
        if Task.isCancelled { throw EtcdError.cancelled(operation: "watch") }
        do {
          let call = try await connectedCall()
          guard let response = try await call.receive() else {
            throw GRPCStatus(.unavailable, "the watch ended")
          }
          try take(response)
        } catch {
          try await recover(from: error)
        }
      }
      return pending.popLast()
    }

    private mutating func connectedCall() async throws -> Call {
      if let call { return call }
      let channel = try await watch.endpoints.connectedChannel(
        until: .now + Self.connectTimeout, "watch")
      self.channel = channel
      let method = Etcd.WatchService.watch
      // A member that lost the majority ends the watch then, rather than stay silent.
      let call = try channel.bidirectional(
        MethodPath(method.service, method.name),
        request: MessageCodec<Etcd.WatchRequest>.protobuf,
        response: MessageCodec<Etcd.WatchResponse>.protobuf,
        options: CallOptions(metadata: ["hasleader": "true"]))
      let request = Etcd.WatchCreateRequest(
        key: watch.key, rangeEnd: watch.rangeEnd, startRevision: nextRevision, progressNotify: true)
      self.call = call
      try await call.send(Etcd.WatchRequest(requestUnion: .createRequest(request)))
      return call
    }

    private mutating func take(_ response: Etcd.WatchResponse) throws {
      if response.compactRevision > 0 {
        throw EtcdError.compacted(oldest: response.compactRevision)
      }
      if response.canceled {
        throw GRPCStatus(.unavailable, "etcd ended the watch: \(response.cancelReason)")
      }
      // After a reconnection events of a revision that was delivered cannot come again: etcd sends
      // all events of a revision in one answer.
      for event in response.events.reversed() {
        guard let kv = event.kv, kv.modRevision >= nextRevision else { continue }
        switch event.type {
        case .put: pending.append(.put(EtcdValue(kv)))
        case .delete:
          pending.append(
            .deleted(key: String(decoding: kv.key, as: UTF8.self), revision: kv.modRevision))
        case .unrecognized(let number):
          throw EtcdError.malformed(operation: "watch", reason: "event of type \(number)")
        }
      }
      if let last = response.events.last?.kv?.modRevision {
        nextRevision = Swift.max(nextRevision, last + 1)
      } else if !response.created, let revision = response.header?.revision {
        // A progress notice: nothing of ours happened up to there.
        nextRevision = Swift.max(nextRevision, revision + 1)
      }
    }

    private mutating func recover(from error: any Error) async throws {
      call?.cancel()
      call = nil
      switch error {
      case let error as EtcdError:
        guard case .unreachable = error else { throw error }
      case let status as GRPCStatus:
        let mayHelp: [GRPCCode] = [
          .unavailable, .deadlineExceeded, .internal, .unknown, .resourceExhausted,
        ]
        if status.code == .cancelled { throw EtcdError.cancelled(operation: "watch") }
        guard mayHelp.contains(status.code) else {
          throw EtcdError.refused(operation: "watch", status)
        }
        if let channel { watch.endpoints.avoid(channel) }
      default: throw error
      }
      // A cancelled sleep is noticed by the caller's loop.
      try? await Task.sleep(for: Self.pause)
    }
  }
}
