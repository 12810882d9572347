/// A running server: listens on its addresses and runs handlers until it is shut down.
///
/// Dropping the server without `shutdown` ends it at once, its calls cancelled.
package final class GRPCServer: Sendable {
  /// Where the server listens, in the order asked for, with the ports that were chosen.
  package let addresses: [TransportAddress]
  private let core: ServerCore

  /// Starts listening on all addresses, or throws and listens on none.
  ///
  /// Interceptors admit calls in their order. Throws `invalidArgument` for bad PEM or paths,
  /// `alreadyExists` for an address in use, `unavailable` for one that cannot be listened on.
  package init(
    listeningOn listeners: [ListenAddress], router: GRPCRouter,
    interceptors: [ServerInterceptor] = [], options: ServerOptions = ServerOptions()
  ) throws(GRPCStatus) {
    core = try ServerCore(router: router, interceptors: interceptors, options: options)
    do throws(GRPCStatus) {
      var bound: [TransportAddress] = []
      for listener in listeners { bound.append(try core.listen(on: listener)) }
      addresses = bound
    } catch {
      core.abandon()
      throw error
    }
    core.start()
  }

  deinit { core.abandon() }

  /// Stops taking calls and lets running ones finish.
  ///
  /// Calls that run after `grace` are cancelled; their handlers then have `cancellationGrace` to
  /// return. Calls registered as ending at shutdown are ended at once with `unavailable`. Returns
  /// the number of handlers that still run: 0 unless they ignore their cancellation. May be called
  /// more than once; must not be awaited in a handler of this server.
  @discardableResult
  package func shutdown(
    grace: Duration = .seconds(10), cancellationGrace: Duration = .seconds(5)
  ) async -> Int {
    await core.shutdown(grace: grace, cancellationGrace: cancellationGrace)
  }

  /// Calls whose handlers run now.
  package var runningCallCount: Int { core.runningCallCount }
}
