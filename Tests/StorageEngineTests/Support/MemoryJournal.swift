import DiskFormat
import IOSeams
import StorageModel
import Synchronization

/// A journal in memory that can lose what was not synced.
final class MemoryJournal: JournalStore {
  struct Record {
    var identity: RecordIdentity
    var payload: [UInt8]
    var start: JournalPosition
    var extent: JournalExtent
    var barrier: JournalPosition
  }

  private struct State {
    var records: [Record] = []
    var end = JournalPosition(4096)
    var synced = JournalPosition(4096)
    var failingAppends = 0
    var syncCount = 0
  }

  private let state = Mutex(State())
  private let segments: MemorySegments
  private let ledger: NonceLedger

  init(segments: MemorySegments, ledger: NonceLedger) {
    self.segments = segments
    self.ledger = ledger
  }

  func append(
    _ identity: RecordIdentity, payload: UnsafeRawBufferPointer
  ) throws(StoreError) -> JournalExtent {
    ledger.persistSeals()
    let bytes = Array(payload)
    let extent: JournalExtent? = state.withLock { state in
      guard state.failingAppends == 0 else {
        state.failingAppends -= 1
        return nil
      }
      let start = state.end
      let extent = JournalExtent(
        payload: start.advanced(byByteCount: JournalFrame.headerByteCount),
        end: start.advanced(byByteCount: JournalFrame.byteCount(forPayload: bytes.count)))
      state.records.append(
        Record(
          identity: identity, payload: bytes, start: start, extent: extent,
          barrier: state.synced))
      state.end = extent.end
      return extent
    }
    guard let extent else {
      throw .io(IOFailure(operation: "append to the journal", errorNumber: 5))
    }
    return extent
  }

  func read(
    at position: JournalPosition, into target: UnsafeMutableRawBufferPointer
  ) throws(StoreError) {
    let count = target.count
    let bytes: [UInt8]? = state.withLock { state in
      guard let record = state.records.last(where: { $0.extent.payload <= position }) else {
        return nil
      }
      let offset = Int(position.rawValue - record.extent.payload.rawValue)
      guard offset + count <= record.payload.count else { return nil }
      return Array(record.payload[offset..<offset + count])
    }
    guard let bytes else {
      throw .io(IOFailure(operation: "read the journal at \(position)", errorNumber: 5))
    }
    bytes.withUnsafeBytes { target.copyMemory(from: $0) }
  }

  func sync(through position: JournalPosition) throws(StoreError) {
    segments.sync()
    state.withLock { state in
      state.synced = state.end
      state.syncCount += 1
    }
  }

  var end: JournalPosition { state.withLock { $0.end } }
  var synced: JournalPosition { state.withLock { $0.synced } }
  var records: [Record] { state.withLock { $0.records } }

  func failAppends(_ count: Int) { state.withLock { $0.failingAppends = count } }

  func trim(before position: JournalPosition) {
    state.withLock { state in
      state.records.removeAll { $0.extent.end <= position }
    }
  }

  /// Ends the journal at `position`, as recovery does.
  func cut(at position: JournalPosition) {
    state.withLock { state in
      state.records.removeAll { $0.start >= position }
      state.end = min(state.end, position)
      state.synced = min(state.synced, position)
    }
  }

  /// Flips a bit of the byte at `position`.
  func corrupt(at position: JournalPosition) {
    state.withLock { state in
      for index in state.records.indices {
        let record = state.records[index]
        guard record.extent.payload <= position, position < record.extent.end else { continue }
        state.records[index].payload[
          Int(position.rawValue - record.extent.payload.rawValue)] ^= 4
      }
    }
  }
}
