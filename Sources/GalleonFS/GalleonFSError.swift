import DaemonConfiguration
import NodeRuntime
import StorageModel

/// Why something was not done. Every case but `closed` has a sentence that says what failed, with
/// which values, and what to do.
public enum GalleonFSError: Error, Hashable, Sendable {
  /// The storage path cannot be opened or reached.
  case unavailable(String)
  /// `close()` was called.
  case closed
  /// An argument breaks a rule; nothing was done.
  case invalid(String)
  /// No such volume, or no such storage class.
  case notFound(String)
  /// A volume of this name exists.
  case alreadyExists(String)
  /// The volume is mounted, or the path occupied.
  case inUse(String)
  /// The volume, or the disk below it, is full.
  case noSpace(String)
  /// Well formed, but this storage cannot give it.
  case unsupported(String)
  /// Data on disk does not verify. Other data is not touched.
  case corrupt(String)
  /// Nothing more is written until the storage path was opened anew: a sync failed.
  case readOnly(String)
  /// The operating system refused.
  case system(String)
}

extension GalleonFSError: CustomStringConvertible {
  /// The sentence.
  public var description: String {
    switch self {
    case .closed: "the storage was closed; open it again"
    case .unavailable(let text), .invalid(let text), .notFound(let text),
      .alreadyExists(let text), .inUse(let text), .noSpace(let text), .unsupported(let text),
      .corrupt(let text), .readOnly(let text), .system(let text):
      text
    }
  }
}

extension GalleonFSError {
  init(_ error: NodeError) {
    switch error {
    case .volumeNotFound: self = .notFound("\(error)")
    case .volumeExists: self = .alreadyExists("\(error)")
    case .volumeInUse, .pathOccupied: self = .inUse("\(error)")
    case .poolTooSmall: self = .noSpace("\(error)")
    case .cannotShrink, .invalid: self = .invalid("\(error)")
    case .notMounted: self = .notFound("\(error)")
    case .host: self = .system("\(error)")
    case .unavailable: self = .unavailable("\(error)")
    case .store(let error): self.init(error)
    }
  }

  private init(_ error: StoreError) {
    switch error {
    case .noSpace(let needed, let available):
      self = .noSpace(
        "the volume is full: \(needed) blocks needed, \(available) left; expand it or free space")
    case .poolFull:
      self = .noSpace("the disk of the storage path is full; free space on it")
    case .corrupt(let corruption): self = .corrupt("damaged data: \(corruption)")
    case .io(let failure): self = .system("\(failure)")
    case .invalid(let text): self = .invalid(text)
    case .readOnly(let reason):
      self = .readOnly("nothing is written any more: \(reason); close and open the storage")
    }
  }

  init(_ refusal: Refusal) {
    switch refusal.kind {
    case .invalid, .outOfRange: self = .invalid(refusal.message)
    case .notFound: self = .notFound(refusal.message)
    case .alreadyExists: self = .alreadyExists(refusal.message)
    case .precondition: self = .unsupported(refusal.message)
    case .busy: self = .inUse(refusal.message)
    case .unavailable: self = .unavailable(refusal.message)
    case .exhausted: self = .noSpace(refusal.message)
    case .unauthenticated, .internal: self = .system(refusal.message)
    }
  }
}
