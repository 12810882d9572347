import IOSeams
import StorageModel
import Synchronization

/// Segment files in memory, in units of 4 KiB, that can lose what was not synced.
final class MemorySegments: SegmentStore {
  struct Unit: Hashable {
    var volume: VolumeID
    var location: SegmentLocation
  }

  private struct State {
    var units: [Unit: [UInt8]] = [:]
    var unsynced: [Unit] = []
    var rewrites = 0
    var written: Set<Unit> = []
  }

  static let unitByteCount = 4096
  private let state = Mutex(State())
  private let ledger: NonceLedger

  init(ledger: NonceLedger) { self.ledger = ledger }

  private static func units(
    _ volume: VolumeID, _ location: SegmentLocation, _ byteCount: Int
  ) -> [Unit] {
    stride(from: 0, to: byteCount, by: unitByteCount).map {
      Unit(volume: volume, location: location.advanced(byByteCount: $0))
    }
  }

  func write(
    _ bytes: UnsafeRawBufferPointer, volume: VolumeID, at location: SegmentLocation
  ) throws(StoreError) {
    ledger.persistSeals()
    let copy = Array(bytes)
    state.withLock { state in
      for (index, unit) in Self.units(volume, location, copy.count).enumerated() {
        let start = index * Self.unitByteCount
        state.units[unit] = Array(copy[start..<start + Self.unitByteCount])
        state.unsynced.append(unit)
        if !state.written.insert(unit).inserted { state.rewrites += 1 }
      }
    }
  }

  func read(
    into target: UnsafeMutableRawBufferPointer, volume: VolumeID, at location: SegmentLocation
  ) throws(StoreError) {
    let count = target.count
    let bytes = state.withLock { state in
      Self.units(volume, location, count).flatMap {
        state.units[$0] ?? [UInt8](repeating: 0, count: Self.unitByteCount)
      }
    }
    bytes.withUnsafeBytes {
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
    }
  }

  func free(
    volume: VolumeID, at location: SegmentLocation, byteCount: UInt64
  ) throws(StoreError) {
    state.withLock { state in
      for unit in state.units.keys
      where unit.volume == volume && unit.location.segment == location.segment
        && unit.location.offsetBytes >= location.offsetBytes
        && unit.location.offsetBytes < location.offsetBytes + byteCount
      {
        state.units[unit] = nil
      }
    }
  }

  func truncate(volume: VolumeID, after location: SegmentLocation) throws(StoreError) {
    state.withLock { state in
      for unit in state.units.keys where unit.volume == volume && unit.location >= location {
        state.units[unit] = nil
      }
      // Space behind the frontier is handed out again: what lay there is gone.
      state.written = state.written.filter { $0.volume != volume || $0.location < location }
    }
  }

  func removeAll(volume: VolumeID) throws(StoreError) {
    state.withLock { state in
      state.units = state.units.filter { $0.key.volume != volume }
    }
  }

  func sync() { state.withLock { $0.unsynced = [] } }

  /// Loses some of what was not synced.
  func crash(using generator: inout some RandomNumberGenerator) {
    let dice = UInt64.random(in: 0...2, using: &generator)
    var seeded = SeededGenerator(seed: UInt64.random(in: 0 ... .max, using: &generator))
    state.withLock { state in
      for unit in state.unsynced where dice > 0 && UInt64.random(in: 0..<3, using: &seeded) < dice {
        state.units[unit] = nil
      }
      state.unsynced = []
    }
  }

  /// Flips a bit of the byte at `location`.
  func corrupt(volume: VolumeID, at location: SegmentLocation) {
    let size = UInt64(Self.unitByteCount)
    let start = location.offsetBytes / size * size
    let unit = Unit(
      volume: volume,
      location: SegmentLocation(segment: location.segment, offsetBytes: start))
    state.withLock { $0.units[unit]?[Int(location.offsetBytes - start)] ^= 0x10 }
  }

  /// What occupies space.
  var liveUnits: Set<Unit> { state.withLock { Set($0.units.keys) } }

  /// Units that were written more than once.
  var rewriteCount: Int { state.withLock { $0.rewrites } }
}
