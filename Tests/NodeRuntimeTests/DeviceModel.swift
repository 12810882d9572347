import Foundation
import NodeRuntime
import StorageModel
import Synchronization

/// What a block volume must hold: the version of each sector, in a file that outlives the process
/// that writes to it, however that ends.
///
/// Before a change its range and version are noted as intent, after it the versions; so after a
/// crash the sectors of an intent are all old or all new, and all others known.
final class DeviceModel: @unchecked Sendable {
  // Sendable: one task writes, and whoever reads does so when that task or its process is gone.
  static let sectorByteCount = 512
  private let words: UnsafeMutablePointer<UInt64>
  private let byteCount: Int
  let sectorCount: Int

  /// Words before the versions: the intent's first sector, its count, its version, the number of
  /// changes.
  private static let headCount = 4

  init(path: String, sectorCount: Int) throws {
    self.sectorCount = sectorCount
    byteCount = (Self.headCount + sectorCount) * MemoryLayout<UInt64>.size
    let file = open(path, O_RDWR | O_CREAT, 0o600)
    defer { close(file) }
    guard file >= 0, ftruncate(file, byteCount) == 0,
      let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
      memory != MAP_FAILED
    else { throw POSIXError(.EIO) }
    words = memory.bindMemory(to: UInt64.self, capacity: Self.headCount + sectorCount)
  }

  deinit { munmap(words, byteCount) }

  /// Changes that were completed.
  var changeCount: UInt64 { words[3] }

  private func version(_ sector: Int) -> UInt64 { words[Self.headCount + sector] }

  func begin(_ sectors: Range<Int>, version: UInt64) {
    words[0] = UInt64(sectors.lowerBound)
    words[2] = version
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    words[1] = UInt64(sectors.count)
  }

  func complete() {
    let first = Self.headCount + Int(words[0])
    for index in first..<first + Int(words[1]) { words[index] = words[2] }
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    words[1] = 0
    words[3] += 1
  }

  /// What a sector holds at a version: one word of both, again and again; version 0 is zeros.
  static func content(sector: Int, version: UInt64) -> [UInt8] {
    let word = version &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(sector) &* 0xD1B5_4A32_D192_ED03
    let words = [UInt64](repeating: version > 0 ? word : 0, count: sectorByteCount / 8)
    return words.withUnsafeBytes { Array($0) }
  }

  static func content(of sectors: Range<Int>, version: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    for sector in sectors { bytes += content(sector: sector, version: version) }
    return bytes
  }

  /// Compares a device with the model and takes over what became of an intent. Returns what is
  /// wrong, or nil.
  func settle(with device: [UInt8]) -> String? {
    let intent = Int(words[0])..<Int(words[0]) + Int(words[1])
    var newCount = 0
    var sameCount = 0
    for sector in 0..<sectorCount {
      let start = sector * Self.sectorByteCount
      let found = Array(device[start..<start + Self.sectorByteCount])
      let old = found == Self.content(sector: sector, version: version(sector))
      guard intent.contains(sector) else {
        if old { continue }
        return "sector \(sector) does not hold version \(version(sector))"
      }
      let new = found == Self.content(sector: sector, version: words[2])
      if new, old {
        sameCount += 1
      } else if new {
        newCount += 1
      } else if !old {
        return "sector \(sector) holds neither version \(version(sector)) nor \(words[2])"
      }
    }
    if newCount > 0, newCount + sameCount < intent.count {
      return "a write of sectors \(intent) is torn: \(newCount) are new"
    }
    if newCount > 0 { complete() } else { words[1] = 0 }
    return nil
  }
}

/// Repeatable randomness: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// Changes a block volume at random and keeps the model of it.
struct RandomDeviceWriter {
  let node: Node
  let volume: VolumeID
  let model: DeviceModel
  var generator: SeededGenerator
  /// Of the process, so that a version is never given twice.
  var version: UInt64

  /// One change: a write of any alignment and size up to 256 KiB, or a discard; a third of them
  /// synced.
  mutating func change() async throws {
    let kind = Int.random(in: 0..<10, using: &generator)
    let most = kind < 5 ? 8 : kind < 8 ? 64 : 512
    let count = Int.random(in: 1...most, using: &generator)
    let first = Int.random(in: 0...model.sectorCount - count, using: &generator)
    let sectors = first..<first + count
    let offset = UInt64(first * DeviceModel.sectorByteCount)
    let discards = kind == 7
    version += 1
    model.begin(sectors, version: discards ? 0 : version)
    if discards {
      try await node.discardDevice(
        volume, at: offset, byteCount: UInt64(count * DeviceModel.sectorByteCount))
    } else {
      let bytes = DeviceModel.content(of: sectors, version: version)
      try await node.writeDevice(
        volume, bytes, at: offset, durably: Int.random(in: 0..<3, using: &generator) == 0)
    }
    model.complete()
  }
}
