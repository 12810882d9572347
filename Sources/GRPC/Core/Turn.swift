import Synchronization

/// Lets tasks do something one after the other, in the order in which they came.
final class Turn: Sendable {
  private struct State {
    var isTaken = false
    var waiters: [UnsafeContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func take() async {
    await withUnsafeContinuation { continuation in
      let isMine = state.withLock { state in
        if state.isTaken {
          state.waiters.append(continuation)
          return false
        }
        state.isTaken = true
        return true
      }
      if isMine { continuation.resume() }
    }
  }

  func give() {
    let next = state.withLock { state -> UnsafeContinuation<Void, Never>? in
      guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
      state.isTaken = false
      return nil
    }
    next?.resume()
  }
}
