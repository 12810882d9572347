internal import StorageModel
internal import Synchronization

/// Which of a volume's block keys: one per epoch and incarnation.
struct SubkeyName: Hashable {
  let epoch: Epoch
  let incarnation: Incarnation
}

/// Keyed contexts at rest, so that a block needs neither derivation nor key schedule.
///
/// Holds at most `maximumSubkeyCount` subkeys (the least recently used one goes first) with at most
/// `maximumIdleCount` contexts a direction each: as many as threads seal at the same time.
final class ContextPool: Sendable {
  private static let maximumSubkeyCount = 64
  private static let maximumIdleCount = 8

  private struct Slot {
    var sealing: [GCMContext] = []
    var opening: [GCMContext] = []
    var lastUse: UInt64 = 0

    mutating func add(
      _ context: GCMContext, _ direction: GCMContext.Direction, useCount: UInt64
    ) {
      lastUse = useCount
      switch direction {
      case .seal where sealing.count < maximumIdleCount: sealing.append(context)
      case .open where opening.count < maximumIdleCount: opening.append(context)
      default: break
      }
    }
  }

  private struct State {
    var slots: [SubkeyName: Slot] = [:]
    var useCount: UInt64 = 0
  }

  private let state = Mutex(State())

  /// Takes a context that is at rest; nil if there is none.
  func take(_ name: SubkeyName, _ direction: GCMContext.Direction) -> GCMContext? {
    state.withLock { state in
      switch direction {
      case .seal: state.slots[name]?.sealing.popLast()
      case .open: state.slots[name]?.opening.popLast()
      }
    }
  }

  /// Lays a context to rest, or drops it if enough are.
  func giveBack(_ context: GCMContext, _ name: SubkeyName, _ direction: GCMContext.Direction) {
    state.withLock { state in
      state.useCount += 1
      state.slots[name, default: Slot()].add(context, direction, useCount: state.useCount)
      guard state.slots.count > Self.maximumSubkeyCount,
        let oldest = state.slots.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
      else { return }
      state.slots[oldest] = nil
    }
  }
}
