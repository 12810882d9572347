package import DaemonConfiguration
package import NodeRuntime
internal import StorageModel

// The one table from a node's errors to refusals.
extension Refusal {
  package init(_ error: NodeError) {
    self.init(Self.kind(of: error), error.description)
  }

  /// An unmount that the kernel refuses is the state's fault, not ours: files are open.
  package init(unmounting error: NodeError) {
    if case .host(let text) = error {
      self.init(
        .precondition, "\(text); close what is open there, or use --force to detach it")
    } else {
      self.init(error)
    }
  }

  private static func kind(of error: NodeError) -> Kind {
    switch error {
    case .volumeNotFound: .notFound
    case .volumeExists, .pathOccupied: .alreadyExists
    case .volumeInUse, .notMounted: .precondition
    case .poolTooSmall, .cannotShrink: .outOfRange
    case .invalid: .invalid
    case .store(let error): kind(of: error)
    case .host: .internal
    case .unavailable: .unavailable
    }
  }

  private static func kind(of error: StoreError) -> Kind {
    switch error {
    case .noSpace, .poolFull: .exhausted
    case .corrupt, .io: .internal
    case .invalid: .invalid
    case .readOnly: .precondition
    }
  }
}
