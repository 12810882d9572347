import Synchronization

/// A value that comes once, and the tasks that wait for it.
package final class OneShot<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var patient: [CheckedContinuation<Value, Never>] = []
    /// Those that give up when their task is cancelled, by number.
    var cancellable: [Int: CheckedContinuation<Value?, Never>] = [:]
    var lastNumber = 0
  }

  private let state = Mutex(State())

  package init() {}

  package var valueIfResolved: Value? { state.withLock { $0.value } }

  /// The first value wins; later ones are dropped.
  package func resolve(_ value: Value) {
    let waiters = state.withLock { state -> State? in
      guard state.value == nil else { return nil }
      state.value = value
      defer {
        state.patient = []
        state.cancellable = [:]
      }
      return state
    }
    guard let waiters else { return }
    for waiter in waiters.patient { waiter.resume(returning: value) }
    for waiter in waiters.cancellable.values { waiter.resume(returning: value) }
  }

  /// Waits for the value, also in a cancelled task.
  package func value() async -> Value {
    await withCheckedContinuation { continuation in
      let value = state.withLock { state -> Value? in
        if state.value == nil { state.patient.append(continuation) }
        return state.value
      }
      if let value { continuation.resume(returning: value) }
    }
  }

  /// Waits for the value; nil when the task is cancelled first.
  package func valueUnlessCancelled() async -> Value? {
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (isOver, value) = state.withLock { state -> (Bool, Value?) in
          if let value = state.value { return (true, value) }
          if Task.isCancelled { return (true, nil) }
          state.cancellable[number] = continuation
          return (false, nil)
        }
        if isOver { continuation.resume(returning: value) }
      }
    } onCancel: {
      state.withLock { $0.cancellable.removeValue(forKey: number) }?.resume(returning: nil)
    }
  }
}
