import Synchronization

/// Counts the calls under way, so that closing waits for them.
final class OpenCalls: Sendable {
  private struct State {
    var count = 0
    var isClosed = false
    var closer: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  func begin() throws(GalleonFSError) {
    try state.withLock { state throws(GalleonFSError) in
      guard !state.isClosed else { throw .closed }
      state.count += 1
    }
  }

  func end() {
    let closer = state.withLock { state -> CheckedContinuation<Void, Never>? in
      state.count -= 1
      guard state.count == 0 else { return nil }
      defer { state.closer = nil }
      return state.closer
    }
    closer?.resume()
  }

  /// Refuses further calls and waits for those under way; false if it was closed before.
  func close() async -> Bool {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    guard isFirst else { return false }
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if state.count > 0 { state.closer = continuation }
        return state.count == 0
      }
      if isIdle { continuation.resume() }
    }
    return true
  }
}
