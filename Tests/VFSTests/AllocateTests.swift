import IOSeams
import StorageModel
import Testing

@testable import VFS

@Suite struct AllocateTests {
  @Test func `allocated blocks are charged, read as zeros and grow the file`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.allocate([], file, at: 100, count: 8192)
    let attributes = try volume.attributes(file)
    #expect(attributes.sizeBytes == 8292 && attributes.allocatedBytes == 3 * 4096)
    #expect(volume.store.usedBlocks == 3)
    #expect(try volume.read(file) == Array(repeating: 0, count: 8292))
  }

  @Test func `keepSize allocates behind the end, and a shorter size gives it back`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write([1], to: file)
    try volume.allocate(.keepSize, file, at: 0, count: 10 * 4096)
    #expect(try volume.attributes(file).sizeBytes == 1)
    #expect(try volume.attributes(file).allocatedBytes == 10 * 4096)
    try volume.write([2], to: file, at: 9 * 4096)
    #expect(try volume.attributes(file).allocatedBytes == 10 * 4096)
    try volume.truncate(file, to: 1)
    #expect(try volume.attributes(file).allocatedBytes == 4096 && volume.store.usedBlocks == 1)
  }

  @Test func `a punched hole frees whole blocks and zeroes the ends`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write(Array(repeating: 7, count: 4 * 4096), to: file)
    try volume.allocate([.punchHole, .keepSize], file, at: 4000, count: 8400)
    let expected =
      Array(repeating: 7 as UInt8, count: 4000) + Array(repeating: 0, count: 8400)
      + Array(repeating: 7, count: 4 * 4096 - 12400)
    #expect(try volume.read(file) == expected)
    #expect(try volume.attributes(file).allocatedBytes == 2 * 4096)
    #expect(volume.store.usedBlocks == 2)
  }

  @Test func `a hole inside a hole occupies nothing`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.truncate(file, to: 4 * 4096)
    try volume.allocate([.punchHole, .keepSize], file, at: 100, count: 200)
    try volume.allocate([.punchHole, .keepSize], file, at: 0, count: 1 << 50)
    #expect(volume.store.usedBlocks == 0)
    #expect(try volume.attributes(file).sizeBytes == 4 * 4096)
  }

  @Test func `a zeroed range reads as zeros and stays charged`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    try volume.write(Array(repeating: 7, count: 3 * 4096), to: file)
    try volume.allocate(.zeroRange, file, at: 1000, count: 4 * 4096)
    #expect(try volume.attributes(file).sizeBytes == 1000 + 4 * 4096)
    #expect(try volume.attributes(file).allocatedBytes == 5 * 4096)
    #expect(volume.store.usedBlocks == 5)
    #expect(
      try volume.read(file)
        == Array(repeating: 7, count: 1000) + Array(repeating: 0, count: 4 * 4096))
    try volume.allocate([.zeroRange, .keepSize], file, at: 0, count: 8 * 4096)
    #expect(try volume.attributes(file).sizeBytes == 1000 + 4 * 4096)
    #expect(volume.store.usedBlocks == 8)
  }

  @Test func `an allocation that does not fit takes nothing`() throws {
    var volume = try Volume(MemoryStore(capacityBlocks: 10))
    let file = try volume.create("a")
    #expect(try fileError { try volume.allocate([], file, at: 0, count: 11 * 4096) } == .noSpace)
    #expect(try fileError { try volume.allocate([], file, at: 0, count: 1 << 60) } == .noSpace)
    #expect(volume.store.usedBlocks == 0)
    #expect(try volume.attributes(file).sizeBytes == 0)
    try volume.allocate([], file, at: 0, count: 10 * 4096)
    try volume.allocate([], file, at: 0, count: 10 * 4096)
    #expect(volume.store.usedBlocks == 10)
  }

  @Test(arguments: [0x02, 0x08, 0x09, 0x20, 0x40, 0x12] as [UInt32])
  func `modes that we do not have are not supported`(mode: UInt32) throws {
    var volume = try Volume()
    let file = try volume.create("a")
    #expect(
      try fileError { try volume.allocate(AllocationMode(rawValue: mode), file, at: 0, count: 1) }
        == .notSupported)
  }

  @Test func `a range without bytes or behind the largest file is refused`() throws {
    var volume = try Volume()
    let file = try volume.create("a")
    #expect(try fileError { try volume.allocate([], file, at: 0, count: 0) } == .invalid)
    #expect(try fileError { try volume.allocate([], file, at: 1, count: .max) } == .fileTooBig)
    #expect(try fileError { try volume.allocate([], .root, at: 1, count: 1) } == .isDirectory)
  }

  @Test func `a hole through a huge sparse file takes few steps`() throws {
    var volume = try Volume(MemoryStore(capacityBlocks: 200_000))
    let file = try volume.create("a")
    try volume.write([1], to: file, at: 1 << 61)
    try volume.allocate(.keepSize, file, at: 0, count: 70_000 * 4096)
    let commits = volume.store.commitCount
    try volume.allocate([.punchHole, .keepSize], file, at: 0, count: 1 << 62)
    #expect(volume.store.commitCount < commits + 60)
    #expect(volume.store.largestFree <= 65_536)
    #expect(volume.store.usedBlocks == 0)
    #expect(try volume.attributes(file).allocatedBytes == 0)
  }
}
