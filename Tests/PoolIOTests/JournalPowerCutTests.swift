import Glibc
import IOSeams
import StorageModel
import Testing

@testable import PoolIO

/// A journal that loses power again and again: of every sector that was written since the last
/// sync, in headers and recycled files too, the disk has either the old bytes or the new ones.
@Suite struct JournalPowerCutTests {
  /// A seeded generator (SplitMix64), so that a failing seed can be run again.
  struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
      return word ^ word >> 31
    }
  }

  /// What the disk holds for certain, and what was appended.
  struct Model {
    var durable: [String: [UInt8]] = [:]
    var records: [SeenRecord] = []
    var syncedCount = 0
    var nextNumber: UInt64 = 1
    /// Always the same, so that new records end where lost ones did.
    let byteCount: Int
  }

  private static let sectorByteCount = 512
  /// Small, so that records fill whole segments and stale ones lie at the same places.
  private static let configuration = JournalConfiguration(
    budgetByteCount: 96 << 10, segmentByteCount: 16 << 10)

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `After every power cut the records are a prefix that holds all synced ones`(seed: UInt64)
    throws
  {
    var random = Generator(state: seed)
    let directory = try TemporaryDirectory()
    let byteCounts = [100, 424, 936, 3000, 12_200]
    var model = Model(byteCount: byteCounts[Int(seed) % byteCounts.count])
    for _ in 0..<8 {
      let rig = try JournalRig(directory.path, configuration: Self.configuration)
      let (found, recovery) = try rig.recover()
      #expect(found.count >= model.syncedCount)
      #expect(found == Array(model.records.prefix(found.count)))
      #expect(found.last.map { $0.extent.end == recovery.end } ?? true)
      model.records = found
      model.syncedCount = found.count
      try work(rig, &model, &random)
      rig.journal.close()
      try cutPower(directory.path + "/journal", &model, &random)
    }
  }

  /// Appends, syncs and trims at random.
  private func work(_ rig: JournalRig, _ model: inout Model, _ random: inout Generator) throws {
    try noteDurable(rig, &model)
    // Often less is written than was lost, so that what was lost could join up with it.
    let mostCount = [3, 10, 60].randomElement(using: &random) ?? 3
    for _ in 0..<Int.random(in: 0...mostCount, using: &random) {
      switch Int.random(in: 0..<40, using: &random) {
      case 0:
        try rig.journal.sync(through: rig.journal.end)
        model.syncedCount = model.records.count
        try noteDurable(rig, &model)
      case 1 where !model.records.isEmpty:
        let count = Int.random(in: 1...model.records.count, using: &random)
        try rig.journal.sync(through: rig.journal.end)
        try rig.journal.trim(before: model.records[count - 1].extent.end)
        model.records.removeFirst(count)
        model.syncedCount = model.records.count
        try noteDurable(rig, &model)
      default:
        do {
          model.records.append(try rig.append(model.nextNumber, byteCount: model.byteCount))
          model.nextNumber += 1
        } catch StoreError.poolFull {
          try rig.journal.trim(before: rig.journal.end)
          model.records = []
          model.syncedCount = 0
          try noteDurable(rig, &model)
        }
      }
    }
  }

  /// Everything is on the disk now.
  private func noteDurable(_ rig: JournalRig, _ model: inout Model) throws {
    model.durable = try contents(of: "\(rig.directory)/journal")
  }

  /// Half made files are left out: they are made by a thread, and removed at the next opening.
  private func contents(of directory: String) throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for name in try names(in: directory) where !name.hasSuffix(".new") {
      contents[name] = try readFile("\(directory)/\(name)")
    }
    return contents
  }

  private func cutPower(
    _ directory: String, _ model: inout Model, _ random: inout Generator
  ) throws {
    var image: [String: [UInt8]] = [:]
    let written = try contents(of: directory)
    for (name, bytes) in written.sorted(by: { $0.key < $1.key }) {
      // A new file is durable, as zeros, before it gets its name.
      let old = model.durable[name] ?? [UInt8](repeating: 0, count: bytes.count)
      image[name] = mix(old, bytes, &random)
    }
    // A removal that nobody synced may not have happened.
    for (name, bytes) in model.durable.sorted(by: { $0.key < $1.key })
    where written[name] == nil && Bool.random(using: &random) {
      image[name] = bytes
    }
    for name in try names(in: directory) { unlink("\(directory)/\(name)") }
    for (name, bytes) in image { try writeFile("\(directory)/\(name)", bytes) }
  }

  private func mix(_ old: [UInt8], _ new: [UInt8], _ random: inout Generator) -> [UInt8] {
    var mixed = new
    let lostInTwenty = [0, 1, 2, 10, 20].randomElement(using: &random) ?? 10
    for start in stride(from: 0, to: new.count, by: Self.sectorByteCount)
    where Int.random(in: 0..<20, using: &random) < lostInTwenty {
      let sector = start..<min(start + Self.sectorByteCount, new.count)
      mixed.replaceSubrange(sector, with: old[sector])
    }
    return mixed
  }
}
