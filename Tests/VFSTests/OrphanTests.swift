import IOSeams
import StorageModel
import Testing

@testable import VFS

@Suite struct OrphanTests {
  /// Blocks that are more than one operation frees.
  private static let large = 600

  private func fill(_ volume: inout Volume, _ file: InodeNumber, blocks: Int = large) throws {
    for start in stride(from: 0, to: blocks, by: 200) {
      let count = min(200, blocks - start)
      try volume.write(
        Array(repeating: 5, count: count * 4096), to: file, at: UInt64(start) * 4096)
    }
  }

  @Test func `an open file outlives its name until it is closed as often as it was opened`() throws
  {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write([1, 2], to: file)
    _ = try volume.system.open(file, store: volume.store)
    _ = try volume.system.open(file, store: volume.store)
    try volume.unlink("a")
    #expect(try volume.attributes(file).linkCount == 0)
    try volume.write([3], to: file, at: 2)
    try volume.system.release(file, store: &volume.store)
    #expect(try volume.read(file) == [1, 2, 3])
    try volume.system.release(file, store: &volume.store)
    #expect(volume.store.usedBlocks == 0 && volume.store.keys.count == 2)
    #expect(try fileError { _ = try volume.attributes(file) } == .stale)
  }

  @Test func `orphans of a crash are freed after the restart`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write([1, 2], to: file)
    _ = try volume.system.open(file, store: volume.store)
    try volume.unlink("a")
    try volume.reload()
    #expect(volume.system.hasReclaimableSpace)
    #expect(volume.system.statistics(volume.store).freeBlocks == volume.store.capacityBlocks)
    #expect(try fileError { _ = try volume.attributes(file) } == .stale)
    try volume.reclaimAll()
    #expect(volume.store.usedBlocks == 0 && volume.store.keys.count == 2)
  }

  @Test func `under an older mount orphans wait for the kernel to forget them`() throws {
    var volume = try Volume()
    let old = try volume.create("old")
    try volume.write([1], to: old)
    let young = try volume.create("young")
    try volume.write([2], to: young)
    _ = try volume.system.open(old, store: volume.store)
    try volume.unlink("old")
    try volume.reload(.untilForget)
    try volume.unlink("young")
    #expect(try volume.read(old) == [1] && volume.read(young) == [2])
    try volume.system.release(old, store: &volume.store)
    #expect(try volume.read(old) == [1])
    try volume.system.forget(old, store: &volume.store)
    #expect(try fileError { _ = try volume.attributes(old) } == .stale)
    try volume.system.abandonOrphans(store: volume.store)
    try volume.reclaimAll()
    #expect(volume.store.usedBlocks == 0 && volume.store.keys.count == 2)
  }

  @Test func `forgetting a file that has a name or is open does nothing`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.system.forget(file, store: &volume.store)
    _ = try volume.system.open(file, store: volume.store)
    try volume.unlink("a")
    try volume.system.forget(file, store: &volume.store)
    #expect(try volume.attributes(file).linkCount == 0)
  }

  @Test func `a file made without a name is gone when closed, or stays when linked`() throws {
    var volume = try Volume()
    for isLinked in [false, true] {
      let file = try volume.system.makeTemporary(
        in: .root, permissions: 0o600, store: &volume.store, for: volume.request())
      #expect(file.linkCount == 0 && volume.system.counters.files == 0)
      _ = try volume.system.open(file.inode, store: volume.store)
      try volume.write([1], to: file.inode)
      if isLinked { try volume.link(file.inode, "named") }
      try volume.system.release(file.inode, store: &volume.store)
      #expect(volume.store.usedBlocks == (isLinked ? 1 : 0))
      #expect(volume.system.counters.files == (isLinked ? 1 : 0))
    }
    try volume.reload()
    #expect(!volume.system.hasReclaimableSpace)
    #expect(try volume.lookup("named").linkCount == 1)
  }

  @Test func `a large file is freed in bounded steps, and at once for statistics`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try fill(&volume, file)
    try volume.unlink("a")
    #expect(volume.store.usedBlocks == UInt64(Self.large))
    #expect(volume.system.statistics(volume.store).freeBlocks == volume.store.capacityBlocks)
    #expect(try fileError { _ = try volume.attributes(file) } == .stale)
    var steps = 1
    while try volume.system.reclaim(&volume.store, blockBudget: 100) {
      steps += 1
      if steps == 3 { try volume.reload() }
    }
    #expect(steps == 6 && volume.store.largestFree == 100)
    #expect(volume.store.usedBlocks == 0 && volume.store.keys.count == 2)
  }

  @Test func `a file of up to one mebibyte is freed by the unlink itself`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try fill(&volume, file, blocks: 256)
    try volume.unlink("a")
    #expect(volume.store.usedBlocks == 0 && !volume.system.hasReclaimableSpace)
  }

  @Test func `freeing a sparse file takes few steps`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try fill(&volume, file)
    try volume.write([1], to: file, at: 1 << 60)
    try volume.unlink("a")
    var steps = 1
    while try volume.system.reclaim(&volume.store, blockBudget: 64) { steps += 1 }
    #expect(steps < 80 && volume.store.usedBlocks == 0)
  }

  @Test func `a full volume reclaims before it refuses`() throws {
    var volume = try Volume(MemoryStore(capacityBlocks: UInt64(Self.large)))
    let file = try volume.create("a")
    try fill(&volume, file)
    try volume.unlink("a")
    let next = try volume.create("b")
    try fill(&volume, next)
    #expect(volume.store.usedBlocks == UInt64(Self.large))
    try volume.unlink("b")
    let last = try volume.create("c")
    try volume.allocate([], last, at: 0, count: UInt64(Self.large) * 4096)
  }

  @Test func `blocks behind a large file's cut end are gone for its reader at once`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try fill(&volume, file)
    try volume.truncate(file, to: 4097)
    #expect(try volume.attributes(file).allocatedBytes == 8192)
    #expect(volume.system.hasReclaimableSpace)
    #expect(volume.system.statistics(volume.store).freeBlocks == volume.store.capacityBlocks - 2)
    try volume.reload()
    try volume.truncate(file, to: 20_000)
    #expect(
      try volume.read(file)
        == Array(repeating: 5, count: 4097) + Array(repeating: 0, count: 20_000 - 4097))
    #expect(volume.store.usedBlocks == 2 && !volume.system.hasReclaimableSpace)
  }

  @Test func `an open file without a name can be cut, and its cut end be reclaimed`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try fill(&volume, file)
    _ = try volume.system.open(file, store: volume.store)
    try volume.truncate(file, to: 4096)
    try volume.unlink("a")
    try volume.reclaimAll()
    #expect(volume.store.usedBlocks == 1)
    #expect(try volume.read(file).count == 4096)
    try volume.reload(.untilForget)
    #expect(try volume.read(file).count == 4096)
    try volume.system.forget(file, store: &volume.store)
    #expect(volume.store.usedBlocks == 0 && volume.store.keys.count == 2)
  }
}
