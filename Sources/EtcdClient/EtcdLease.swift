import GRPC
import Messages
import Synchronization

extension EtcdClient {
  /// Makes a lease that lives for `timeToLive` (whole seconds, at least 1) after each renewal.
  package func grantLease(timeToLive: Duration) async throws(EtcdError) -> EtcdLeaseID {
    let seconds = max(1, timeToLive.components.seconds)
    let response = try await endpoints.call(
      Etcd.LeaseService.leaseGrant, Etcd.LeaseGrantRequest(ttl: seconds), changes: true,
      timeout: timeout)
    guard response.error.isEmpty, response.id != 0 else {
      throw .malformed(operation: "lease grant", reason: response.error)
    }
    return EtcdLeaseID(response.id)
  }

  /// Renews the lease once; returns how long it lives from now on. Throws `leaseNotFound` once it
  /// has ended.
  package func renewLease(
    _ lease: EtcdLeaseID, within timeout: Duration? = nil
  ) async throws(EtcdError) -> Duration {
    let deadline = ContinuousClock.now + (timeout ?? self.timeout)
    while true {
      let channel = try await endpoints.connectedChannel(until: deadline, "lease renewal")
      do {
        return try await renew(lease, channel, until: deadline)
      } catch let error as EtcdError {
        throw error
      } catch {
        if Task.isCancelled { throw .cancelled(operation: "lease renewal") }
        endpoints.avoid(channel)
        guard ContinuousClock.now < deadline else { throw .deadline(operation: "lease renewal") }
      }
    }
  }

  private func renew(
    _ lease: EtcdLeaseID, _ channel: GRPCChannel, until deadline: ContinuousClock.Instant
  ) async throws -> Duration {
    let method = Etcd.LeaseService.leaseKeepAlive
    let left = max(.milliseconds(1), ContinuousClock.now.duration(to: deadline))
    let call = try channel.bidirectional(
      MethodPath(method.service, method.name),
      request: MessageCodec<Etcd.LeaseKeepAliveRequest>.protobuf,
      response: MessageCodec<Etcd.LeaseKeepAliveResponse>.protobuf,
      options: CallOptions(metadata: ["hasleader": "true"], timeout: min(left, .seconds(1))))
    try await call.send(Etcd.LeaseKeepAliveRequest(id: lease.rawValue))
    guard let response = try await call.receive() else {
      throw GRPCStatus(.unavailable, "the renewal got no answer")
    }
    guard response.ttl > 0 else { throw EtcdError.leaseNotFound(lease) }
    return .seconds(response.ttl)
  }

  /// Ends the lease and deletes its keys. Does nothing when it has ended.
  package func revokeLease(_ lease: EtcdLeaseID) async throws(EtcdError) {
    do throws(EtcdError) {
      _ = try await endpoints.call(
        Etcd.LeaseService.leaseRevoke, Etcd.LeaseRevokeRequest(id: lease.rawValue), changes: true,
        timeout: timeout)
    } catch {
      guard case .refused(_, let status) = error, status.code == .notFound else { throw error }
    }
  }

  /// Makes a lease and renews it until it is revoked, lost, or its last reference is gone.
  package func keepLease(timeToLive: Duration) async throws(EtcdError) -> EtcdLease {
    let granted = ContinuousClock.now
    let id = try await grantLease(timeToLive: timeToLive)
    return EtcdLease(self, id, timeToLive: timeToLive, granted: granted)
  }
}

/// A lease that is renewed in the background.
///
/// Its end is judged by our clock from the moment a renewal was *sent*, so we hold it for ended no
/// later than etcd does, as long as clocks run equally fast.
package final class EtcdLease: Sendable {
  package let id: EtcdLeaseID
  package let timeToLive: Duration
  private let client: EtcdClient
  private let life: Life
  private let renewal: Task<Void, Never>

  /// What the renewing task and the lease share.
  private final class Life: Sendable {
    let expiry: Mutex<ContinuousClock.Instant>
    /// Comes when the lease is lost.
    let loss = OneShot<Void>()

    init(expiry: ContinuousClock.Instant) { self.expiry = Mutex(expiry) }
  }

  fileprivate init(
    _ client: EtcdClient, _ id: EtcdLeaseID, timeToLive: Duration,
    granted: ContinuousClock.Instant
  ) {
    self.client = client
    self.id = id
    self.timeToLive = timeToLive
    let life = Life(expiry: granted + timeToLive)
    self.life = life
    renewal = Task { await Self.renew(client, id, life, every: timeToLive / 3) }
  }

  deinit { renewal.cancel() }

  /// When the lease ends unless it is renewed again.
  package var expiry: ContinuousClock.Instant { life.expiry.withLock { $0 } }

  /// Whether the lease holds for certain.
  package var isAlive: Bool { expiry > .now }

  /// Returns when the lease is lost or revoked, or the task is cancelled.
  package func waitUntilLost() async { _ = await life.loss.valueUnlessCancelled() }

  /// Ends the lease and deletes its keys.
  package func revoke() async throws(EtcdError) {
    renewal.cancel()
    life.expiry.withLock { $0 = .now }
    try await client.revokeLease(id)
  }

  private static func renew(
    _ client: EtcdClient, _ id: EtcdLeaseID, _ life: Life, every interval: Duration
  ) async {
    defer {
      life.expiry.withLock { $0 = min($0, .now) }
      life.loss.resolve(())
    }
    while !Task.isCancelled {
      let left = ContinuousClock.now.duration(to: life.expiry.withLock { $0 })
      guard left > .zero else { return }
      // A cancelled sleep ends the loop.
      try? await Task.sleep(for: min(interval, left))
      let sent = ContinuousClock.now
      do throws(EtcdError) {
        let patience = max(.milliseconds(100), sent.duration(to: life.expiry.withLock { $0 }))
        let granted = try await client.renewLease(id, within: patience)
        life.expiry.withLock { $0 = sent + granted }
      } catch {
        if case .leaseNotFound = error { return }
        // Anything else may pass before the lease ends.
      }
    }
  }
}
