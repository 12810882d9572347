internal import Synchronization

/// A store that lives as long as its process: for tests and for programs that embed the engine.
package final class MemoryStore: ConfigurationStore {
  private struct State {
    var values: [String: StoredValue] = [:]
    var revision: Int64 = 0
  }

  private let state = Mutex(State())

  package init() {}

  package func get(_ key: String) -> StoredValue? { state.withLock { $0.values[key] } }

  package func list(prefix: String) -> [StoredValue] {
    state.withLock { state in
      state.values.values.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
    }
  }

  package func transact(_ conditions: [StoreCondition], _ changes: [StoreChange]) -> Bool {
    state.withLock { state in
      let holds = conditions.allSatisfy { condition in
        switch condition {
        case .absent(let key): state.values[key] == nil
        case .unchanged(let key, let revision): state.values[key]?.revision == revision
        }
      }
      guard holds else { return false }
      state.revision += 1
      for change in changes { Self.apply(change, to: &state) }
      return true
    }
  }

  package func status() -> StoreStatus {
    StoreStatus(version: "memory", memberCount: 1, databaseBytes: 0)
  }

  private static func apply(_ change: StoreChange, to state: inout State) {
    switch change {
    case .put(let key, let bytes):
      state.values[key] = StoredValue(key: key, bytes: bytes, revision: state.revision)
    case .delete(let key):
      state.values[key] = nil
    }
  }
}
