import CGRPC

/// When a connection asks whether its peer is still there.
package struct Keepalive: Hashable, Sendable {
  /// Silence after which a ping is sent.
  package var interval: Duration
  /// How long the answer may take before the connection is closed.
  package var timeout: Duration
  /// Whether to ping while no call runs.
  package var pingsWhenIdle: Bool

  package init(
    interval: Duration = .seconds(30), timeout: Duration = .seconds(10), pingsWhenIdle: Bool = false
  ) {
    self.interval = interval
    self.timeout = timeout
    self.pingsWhenIdle = pingsWhenIdle
  }

  func add(to arguments: CoreArguments) {
    arguments.set(GRPC_ARG_KEEPALIVE_TIME_MS, interval)
    arguments.set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, timeout)
    arguments.set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, pingsWhenIdle ? 1 : 0)
    arguments.set(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0)
  }
}

/// How a server behaves. Sizes are in bytes.
package struct ServerOptions: Sendable {
  package var maximumReceivedMessageByteCount = 4 << 20
  package var maximumSentMessageByteCount = 64 << 20
  package var maximumMetadataByteCount = 16 << 10
  /// Calls that one connection may have open at once; more wait at the client.
  package var maximumConcurrentCallsPerConnection = 1024
  package var keepalive: Keepalive?
  /// Clients that ping more often than this are disconnected; nil for the core's 5 minutes.
  package var minimumPingInterval: Duration? = .seconds(5)
  /// A connection without a call for this long is closed; nil for never.
  package var maximumConnectionIdleTime: Duration?

  package init() {}

  func makeArguments() -> CoreArguments {
    let arguments = CoreArguments()
    arguments.set(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, maximumReceivedMessageByteCount)
    arguments.set(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, maximumSentMessageByteCount)
    arguments.set(GRPC_ARG_MAX_METADATA_SIZE, maximumMetadataByteCount)
    arguments.set(GRPC_ARG_MAX_CONCURRENT_STREAMS, maximumConcurrentCallsPerConnection)
    arguments.set(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, minimumPingInterval)
    arguments.set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, maximumConnectionIdleTime)
    // Otherwise two servers could share a port without a word.
    arguments.set(GRPC_ARG_ALLOW_REUSEPORT, 0)
    keepalive?.add(to: arguments)
    return arguments
  }
}

/// How a channel behaves. Sizes are in bytes.
package struct ChannelOptions: Sendable {
  package var maximumReceivedMessageByteCount = 4 << 20
  package var maximumSentMessageByteCount = 64 << 20
  package var keepalive: Keepalive?
  /// Pauses between attempts to connect grow from the first to the second.
  package var minimumReconnectBackoff: Duration = .milliseconds(100)
  package var maximumReconnectBackoff: Duration = .seconds(5)
  /// How long one attempt to connect may take.
  package var connectTimeout: Duration = .seconds(5)
  /// Added to the name that the client gives in the `user-agent` header.
  package var userAgent = "galleonfs"

  package init() {}

  func makeArguments() -> CoreArguments {
    let arguments = CoreArguments()
    arguments.set(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, maximumReceivedMessageByteCount)
    arguments.set(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, maximumSentMessageByteCount)
    arguments.set(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, minimumReconnectBackoff)
    arguments.set(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, maximumReconnectBackoff)
    // The core takes the time that an attempt may last from the same argument.
    arguments.set(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, connectTimeout)
    arguments.set(GRPC_ARG_PRIMARY_USER_AGENT_STRING, userAgent)
    // Control traffic stays in the cluster: a proxy of the environment is not for it.
    arguments.set(GRPC_ARG_ENABLE_HTTP_PROXY, 0)
    // Channels with equal arguments would share a connection and its state otherwise.
    arguments.set(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1)
    keepalive?.add(to: arguments)
    return arguments
  }
}

/// What one call asks for.
package struct CallOptions: Sendable {
  package var metadata: GRPCMetadata
  /// From the start of the call to its status; nil for no bound.
  package var timeout: Duration?
  /// Whether to wait for a connection rather than fail with `unavailable` at once.
  package var waitsForReady: Bool

  package init(
    metadata: GRPCMetadata = [:], timeout: Duration? = nil, waitsForReady: Bool = false
  ) {
    self.metadata = metadata
    self.timeout = timeout
    self.waitsForReady = waitsForReady
  }
}
