import IOSeams
import StorageModel
import Synchronization

/// An index in memory that can fall back to an earlier prefix of its batches.
final class MemoryIndex: IndexStore {
  private struct State {
    var keys: [[UInt8]] = []
    var values: [[UInt8]: [UInt8]] = [:]
    var durableKeys: [[UInt8]] = []
    var durableValues: [[UInt8]: [UInt8]] = [:]
    /// Batches since the last flush, each with the journal's end when it was written.
    var batches: [(batch: IndexBatch, journalEnd: JournalPosition)] = []
    var failsWrites = false
    var readCount = 0
  }

  private let state = Mutex(State())
  private let journal: MemoryJournal

  init(journal: MemoryJournal) { self.journal = journal }

  func value(for key: [UInt8]) throws(StoreError) -> [UInt8]? {
    state.withLock { state in
      state.readCount += 1
      return state.values[key]
    }
  }

  func scan(
    from lower: [UInt8], to upper: [UInt8],
    _ visit: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
  ) throws(StoreError) {
    let found: [([UInt8], [UInt8])] = state.withLock { state in
      let start = Self.position(of: lower, in: state.keys)
      let end = Self.position(of: upper, in: state.keys)
      guard start < end else { return [] }
      return state.keys[start..<end].map { ($0, state.values[$0] ?? []) }
    }
    for (key, value) in found {
      let goesOn = key.withUnsafeBytes { key in value.withUnsafeBytes { visit(key, $0) } }
      guard goesOn else { return }
    }
  }

  func write(_ batch: IndexBatch) throws(StoreError) {
    let end = journal.end
    let fails = state.withLock { state in
      guard !state.failsWrites else { return true }
      Self.apply(batch, &state.keys, &state.values)
      state.batches.append((batch, end))
      return false
    }
    if fails { throw .io(IOFailure(operation: "write the index", errorNumber: 5)) }
  }

  var readCount: Int { state.withLock { $0.readCount } }
  var entries: [(key: [UInt8], value: [UInt8])] {
    state.withLock { state in state.keys.map { ($0, state.values[$0] ?? []) } }
  }

  func failWrites(_ fails: Bool) { state.withLock { $0.failsWrites = fails } }

  /// Makes everything durable.
  func flush() {
    state.withLock { state in
      state.durableKeys = state.keys
      state.durableValues = state.values
      state.batches = []
    }
  }

  /// Keeps what was flushed and a prefix of the batches since, none of them younger than
  /// `journalEnd`.
  func crash(
    journalEnd: JournalPosition, using generator: inout some RandomNumberGenerator
  ) {
    let share = Double.random(in: 0...1, using: &generator)
    state.withLock { state in
      let possible = state.batches.prefix { $0.journalEnd <= journalEnd }
      let kept = possible.prefix(Int(Double(possible.count) * share))
      state.keys = state.durableKeys
      state.values = state.durableValues
      for (batch, _) in kept { Self.apply(batch, &state.keys, &state.values) }
      state.durableKeys = state.keys
      state.durableValues = state.values
      state.batches = []
    }
  }

  private static func position(of key: [UInt8], in keys: [[UInt8]]) -> Int {
    var lower = 0
    var upper = keys.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if keys[middle].lexicographicallyPrecedes(key) { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }

  private static func apply(
    _ batch: IndexBatch, _ keys: inout [[UInt8]], _ values: inout [[UInt8]: [UInt8]]
  ) {
    for change in batch.changes {
      switch change {
      case .put(let key, let value):
        if values.updateValue(value, forKey: key) == nil {
          keys.insert(key, at: position(of: key, in: keys))
        }
      case .delete(let key):
        if values.removeValue(forKey: key) != nil { keys.remove(at: position(of: key, in: keys)) }
      case .deleteRange(let lower, let upper):
        let start = position(of: lower, in: keys)
        let end = max(start, position(of: upper, in: keys))
        for key in keys[start..<end] { values[key] = nil }
        keys.removeSubrange(start..<end)
      }
    }
  }
}
