import DiskFormat
import Glibc
import IOSeams
import StorageModel
import Testing

@testable import PoolIO

@Suite struct FileSegmentsTests {
  private static let other = VolumeID(UUIDValue(high: 1, low: 2))

  private func makeSegments(_ path: String, maximumOpenCount: Int = 256) throws -> FileSegments {
    try FileSegments(
      directory: path, reserve: SpaceReserve(byteCount: 0), maximumOpenCount: maximumOpenCount)
  }

  private func at(_ segment: UInt32, _ offsetBytes: UInt64 = 0) -> SegmentLocation {
    SegmentLocation(segment: segment, offsetBytes: offsetBytes)
  }

  @Test(arguments: [1, 4095, 4096, 4097, 1 << 20])
  func `What was written is read, by a later process too`(byteCount: Int) throws {
    let directory = try TemporaryDirectory()
    let bytes = payload(3, byteCount: byteCount)
    do {
      let segments = try makeSegments(directory.path)
      try segments.write(bytes, volume: volume, at: at(0, 8192))
      try segments.write(bytes, volume: volume, at: at(0xFFFF_FFFF))
      try segments.write(bytes, volume: Self.other, at: at(0))
      #expect(try segments.read(byteCount, volume: volume, at: at(0, 8192)) == bytes)
      #expect(segments.unsyncedFileCount == 3)
      try segments.syncDirty()
      #expect(segments.unsyncedFileCount == 0)
    }
    let segments = try makeSegments(directory.path)
    #expect(try segments.read(byteCount, volume: volume, at: at(0, 8192)) == bytes)
    #expect(try segments.read(byteCount, volume: volume, at: at(0xFFFF_FFFF)) == bytes)
    #expect(try Set(segments.volumes()) == [volume, Self.other])
    #expect(
      try names(in: "\(directory.path)/\(volume)").sorted() == ["00000000.seg", "ffffffff.seg"])
  }

  @Test func `Reading what is not there is an error, never zeros`() throws {
    let directory = try TemporaryDirectory()
    let segments = try makeSegments(directory.path)
    let missing = #expect(throws: StoreError.self) {
      try segments.read(10, volume: volume, at: at(1))
    }
    guard case .io(let failure)? = missing else {
      Issue.record("expected an error of the system")
      return
    }
    #expect(failure.errorNumber == ENOENT)
    #expect(failure.explanation.contains("No such file or directory"))
    try segments.write(payload(1, byteCount: 100), volume: volume, at: at(1))
    let short = #expect(throws: StoreError.self) {
      try segments.read(20, volume: volume, at: at(1, 90))
    }
    guard case .corrupt? = short else {
      Issue.record("expected corruption")
      return
    }
  }

  @Test func `Freed space comes back to the host, and the rest stays`() throws {
    let directory = try TemporaryDirectory()
    let segments = try makeSegments(directory.path)
    let bytes = payload(5, byteCount: 1 << 20)
    try segments.write(bytes, volume: volume, at: at(0))
    try segments.syncDirty()
    let before = try segments.occupiedBytes(of: volume)
    #expect(before >= 1 << 20)
    try segments.free(volume: volume, at: at(0, 65536), byteCount: 1 << 19)
    #expect(try segments.occupiedBytes(of: volume) == before - 1 << 19)
    var expected = bytes
    for index in 65536..<(65536 + 1 << 19) { expected[index] = 0 }
    #expect(try segments.read(1 << 20, volume: volume, at: at(0)) == expected)
    // Twice is harmless: a recovery repeats itself.
    try segments.free(volume: volume, at: at(0, 65536), byteCount: 1 << 19)
    try segments.free(volume: volume, at: at(7), byteCount: 4096)
  }

  @Test(
    arguments: [(1, 8190), (4095, 4097), (0, 4095), (4096, 4095), (1, 4095)] as [(UInt64, UInt64)])
  func `Freeing touches no byte outside the range`(offset: UInt64, byteCount: UInt64) throws {
    let directory = try TemporaryDirectory()
    let segments = try makeSegments(directory.path)
    let bytes = payload(5, byteCount: 16384)
    try segments.write(bytes, volume: volume, at: at(0))
    try segments.free(volume: volume, at: at(0, offset), byteCount: byteCount)
    let left = try segments.read(16384, volume: volume, at: at(0))
    #expect(left[..<Int(offset)] == bytes[..<Int(offset)])
    #expect(left[Int(offset + byteCount)...] == bytes[Int(offset + byteCount)...])
  }

  @Test func `Ranges that touch are freed together, and only they`() throws {
    let directory = try TemporaryDirectory()
    let segments = try makeSegments(directory.path)
    let bytes = payload(5, byteCount: 65536)
    for number in 0..<2 as Range<UInt32> {
      try segments.write(bytes, volume: volume, at: at(number))
    }
    try segments.free([], of: volume)
    let blocks: [(UInt32, UInt64)] = [(0, 3), (0, 1), (1, 0), (0, 2), (0, 15), (0, 7)]
    try segments.free(
      blocks.map { FreedRange(location: at($0.0, $0.1 * 4096), byteCount: 4096) }, of: volume)
    for number in 0..<2 as Range<UInt32> {
      var expected = bytes
      for (segment, block) in blocks where segment == number {
        for offset in Int(block) * 4096..<(Int(block) + 1) * 4096 { expected[offset] = 0 }
      }
      #expect(try segments.read(65536, volume: volume, at: at(number)) == expected)
    }
  }

  @Test func `A segment that was freed whole is removed, unless it is the highest`() throws {
    let directory = try TemporaryDirectory()
    var segments = try makeSegments(directory.path)
    for number in 0..<3 as Range<UInt32> {
      try segments.write(payload(5, byteCount: 8192), volume: volume, at: at(number))
    }
    try segments.syncDirty()
    segments = try makeSegments(directory.path)
    for number in [0, 2] as [UInt32] {
      try segments.free(volume: volume, at: at(number, 0), byteCount: 4096)
      try segments.free(volume: volume, at: at(number, 4096), byteCount: 4096)
    }
    #expect(
      try names(in: "\(directory.path)/\(volume)").sorted() == ["00000001.seg", "00000002.seg"])
    // A reservation made before may still be written; its file comes back.
    try segments.write(payload(6, byteCount: 4096), volume: volume, at: at(0, 4096))
    #expect(try segments.read(4096, volume: volume, at: at(0, 4096)) == payload(6, byteCount: 4096))
  }

  @Test func `Truncation removes later segments and cuts the one it names`() throws {
    let directory = try TemporaryDirectory()
    let segments = try makeSegments(directory.path)
    try segments.truncate(volume: volume, after: at(3, 100))
    for number in 0..<4 as Range<UInt32> {
      try segments.write(payload(5, byteCount: 8192), volume: volume, at: at(number))
    }
    try segments.truncate(volume: volume, after: at(1, 4096))
    #expect(
      try names(in: "\(directory.path)/\(volume)").sorted() == ["00000000.seg", "00000001.seg"])
    #expect(try segments.read(4096, volume: volume, at: at(1)) == payload(5, byteCount: 4096))
    #expect(throws: StoreError.self) { try segments.read(1, volume: volume, at: at(1, 4096)) }
    #expect(throws: StoreError.self) { try segments.read(1, volume: volume, at: at(2)) }
    try segments.syncDirty()
    try segments.write(payload(7, byteCount: 10), volume: volume, at: at(2))
    #expect(try segments.read(10, volume: volume, at: at(2)) == payload(7, byteCount: 10))
  }

  @Test func `Removing a volume removes its files only, and may be repeated`() throws {
    let directory = try TemporaryDirectory()
    let segments = try makeSegments(directory.path)
    for owner in [volume, Self.other] {
      try segments.write(payload(5, byteCount: 8192), volume: owner, at: at(0))
    }
    try segments.removeAll(volume: volume)
    try segments.removeAll(volume: volume)
    #expect(try segments.volumes() == [Self.other])
    try segments.syncDirty()
    #expect(throws: StoreError.self) { try segments.read(1, volume: volume, at: at(0)) }
    #expect(try segments.read(8192, volume: Self.other, at: at(0)) == payload(5, byteCount: 8192))
  }

  @Test func `More segments than may be open at once are written, synced and read`() throws {
    let directory = try TemporaryDirectory()
    let segments = try makeSegments(directory.path, maximumOpenCount: 4)
    for number in 0..<40 as Range<UInt32> {
      try segments.write(
        payload(UInt64(number), byteCount: 100), volume: volume, at: at(number))
      if number % 10 == 9 { try segments.syncDirty() }
    }
    for number in 0..<40 as Range<UInt32> {
      #expect(
        try segments.read(100, volume: volume, at: at(number))
          == payload(UInt64(number), byteCount: 100))
    }
    #expect(
      try names(in: "/proc/self/fd").count { name in
        var target = [CChar](repeating: 0, count: 256)
        let count = readlink("/proc/self/fd/\(name)", &target, target.count)
        let path = String(
          decoding: target[..<max(0, count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.hasPrefix(directory.path) && path.hasSuffix(".seg")
      } <= 4)
  }

  @Test func `Threads that write, free and sync at the same time lose nothing`() async throws {
    let directory = try TemporaryDirectory()
    let segments = try makeSegments(directory.path, maximumOpenCount: 4)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<6 {
        group.addTask {
          for round in 0..<60 {
            let segment = UInt32(round / 4)
            let location = SegmentLocation(
              segment: segment, offsetBytes: UInt64(round % 4 * 6 + task) * 4096)
            let bytes = payload(UInt64(round * 10 + task), byteCount: 4096)
            try segments.write(bytes, volume: volume, at: location)
            #expect(try segments.read(4096, volume: volume, at: location) == bytes)
            if round % 16 == task { try segments.syncDirty() }
            try segments.free(volume: volume, at: location, byteCount: 4096)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try segments.occupiedBytes(of: volume) == 0)
  }

  @Test func `A full disk is told as a full pool, and can be used again`() throws {
    guard let disk = try SmallFileSystem(megabytes: 4) else { return }  // needs to mount
    let segments = try makeSegments("\(disk.path)/segments")
    let bytes = payload(1, byteCount: 1 << 20)
    var written: UInt32 = 0
    let error = #expect(throws: StoreError.self) {
      while true {
        try segments.write(bytes, volume: volume, at: at(written))
        written += 1
      }
    }
    #expect(error == .poolFull)
    #expect(written == 4)
    for number in 0..<written {
      #expect(try segments.read(1 << 20, volume: volume, at: at(number)) == bytes)
    }
    try segments.free(volume: volume, at: at(0), byteCount: 1 << 20)
    try segments.write(bytes, volume: volume, at: at(9))
  }

  @Test func `The reserve is left alone`() throws {
    guard let disk = try SmallFileSystem(megabytes: 4) else { return }  // needs to mount
    let segments = try FileSegments(
      directory: "\(disk.path)/segments", reserve: SpaceReserve(byteCount: 2 << 20))
    #expect(try segments.space().totalBytes == 4 << 20)
    #expect(try segments.space().availableBytes <= 2 << 20)
    let bytes = payload(1, byteCount: 1 << 20)
    for number in 0..<2 as Range<UInt32> {
      try segments.write(bytes, volume: volume, at: at(number))
    }
    #expect(throws: StoreError.poolFull) { try segments.write(bytes, volume: volume, at: at(2)) }
  }

  @Test(
    arguments: [
      (1 << 30, 64 << 20), (100 << 30, 1 << 30), (10 << 30, (10 << 30) / 50),
    ] as [(UInt64, UInt64)])
  func `The standard reserve is two percent between its bounds`(total: UInt64, expected: UInt64) {
    #expect(SpaceReserve().byteCount(ofTotal: total) == expected)
  }
}

extension FileSegments {
  fileprivate func write(
    _ bytes: [UInt8], volume: VolumeID, at location: SegmentLocation
  ) throws {
    try bytes.withBytes { (bytes) throws(StoreError) in
      try write(bytes, volume: volume, at: location)
    }
  }

  fileprivate func read(
    _ byteCount: Int, volume: VolumeID, at location: SegmentLocation
  ) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: byteCount)
    try bytes.withMutableBytes { (target) throws(StoreError) in
      try read(into: target, volume: volume, at: location)
    }
    return bytes
  }
}
