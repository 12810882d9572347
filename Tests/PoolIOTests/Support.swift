import Glibc
import IOSeams
import StorageModel
import Testing

@testable import PoolIO

/// A directory that goes away with the test.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/galleon-poolio-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw IOFailure(operation: "mkdtemp", errorNumber: errno)
    }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit { removeTree(path) }
}

func removeTree(_ path: String) {
  for name in (try? names(in: path)) ?? [] {
    let child = "\(path)/\(name)"
    if unlink(child) != 0 { removeTree(child) }
  }
  rmdir(path)
}

/// Copies files and directories, as a crash would leave them if all of it had been synced.
func copyTree(_ source: String, to target: String) throws {
  mkdir(target, 0o700)
  for name in try names(in: source) {
    let from = "\(source)/\(name)"
    var status = stat()
    guard stat(from, &status) == 0 else { continue }
    if status.st_mode & S_IFMT == S_IFDIR {
      try copyTree(from, to: "\(target)/\(name)")
    } else {
      try writeFile("\(target)/\(name)", try readFile(from))
    }
  }
}

func readFile(_ path: String) throws -> [UInt8] {
  let file = try OpenFile(path: path, flags: O_RDONLY)
  var bytes = [UInt8](repeating: 0, count: Int(try file.status().st_size))
  let count = try bytes.withMutableBytes { (target) throws(StoreError) in
    try file.read(into: target, at: 0)
  }
  return Array(bytes[..<count])
}

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
  let file = try OpenFile(path: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
  try bytes.withBytes { (bytes) throws(StoreError) in try file.write(bytes, at: 0) }
}

func changeFile(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
  var bytes = try readFile(path)
  change(&bytes)
  try writeFile(path, bytes)
}

/// A file system of its own size in memory; nil if this process may not mount.
final class SmallFileSystem {
  let path: String
  private let directory: TemporaryDirectory

  init?(megabytes: Int) throws {
    guard geteuid() == 0 else { return nil }
    directory = try TemporaryDirectory()
    path = "\(directory.path)/mounted"
    mkdir(path, 0o700)
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { return nil }
  }

  func makeReadOnly() -> Bool {
    mount(nil, path, nil, UInt(MS_REMOUNT | MS_RDONLY), nil) == 0
  }

  deinit { umount2(path, Int32(MNT_DETACH)) }
}

/// A 64-bit checksum for tests (FNV-1a); the product injects XXH3.
@Sendable func testChecksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
  return hash
}

let pool = PoolID(UUIDValue(high: 0x1111_2222_3333_4444, low: 0x9555_6666_7777_8888))
let volume = VolumeID(UUIDValue(high: 0x0123_4567_89AB_4DEF, low: 0x8123_4567_89AB_CDEF))

func identity(_ lsn: UInt64) -> RecordIdentity {
  RecordIdentity(
    volume: volume, epoch: Epoch(3), incarnation: Incarnation(5), lsn: LSN(lsn))
}

/// Bytes that tell a record from all others.
func payload(_ number: UInt64, byteCount: Int) -> [UInt8] {
  (0..<byteCount).map { UInt8(truncatingIfNeeded: number &* 131 &+ UInt64($0) &* 7 &+ 1) }
}

struct SeenRecord: Hashable {
  var identity: RecordIdentity
  var payload: [UInt8]
  var extent: JournalExtent
}

/// A journal with its segments in a directory.
struct JournalRig {
  let directory: String
  let segments: FileSegments
  let journal: FileJournal

  /// 64 KiB segments, eight of them, so that rolling over is quickly reached.
  static let configuration = JournalConfiguration(
    budgetByteCount: 512 << 10, segmentByteCount: 64 << 10)

  init(
    _ directory: String, configuration: JournalConfiguration = Self.configuration,
    pool: PoolID = pool
  ) throws {
    self.directory = directory
    mkdir(directory, 0o700)
    segments = try FileSegments(
      directory: "\(directory)/segments", reserve: SpaceReserve(byteCount: 0))
    journal = try FileJournal(
      directory: "\(directory)/journal", pool: pool, configuration: configuration,
      segments: segments, checksum: testChecksum)
  }

  /// Recovers and returns what was seen.
  @discardableResult
  func recover() throws -> (records: [SeenRecord], recovery: JournalRecovery) {
    var records: [SeenRecord] = []
    let recovery = try journal.recover { identity, payload, extent, _ in
      records.append(SeenRecord(identity: identity, payload: Array(payload), extent: extent))
      return true
    }
    return (records, recovery)
  }

  @discardableResult
  func append(_ number: UInt64, byteCount: Int = 300) throws -> SeenRecord {
    let bytes = payload(number, byteCount: byteCount)
    let extent = try bytes.withBytes { (bytes) throws(StoreError) in
      try journal.append(identity(number), payload: bytes)
    }
    return SeenRecord(identity: identity(number), payload: bytes, extent: extent)
  }

  func read(_ extent: JournalExtent, byteCount: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    try bytes.withMutableBytes { (target) throws(StoreError) in
      try journal.read(at: extent.payload, into: target)
    }
    return bytes
  }

  /// The segment files, by name.
  var segmentPaths: [String] {
    get throws {
      try names(in: "\(directory)/journal").filter { $0.hasSuffix(".journal") }.sorted().map {
        "\(directory)/journal/\($0)"
      }
    }
  }

  /// The file of the segment with this sequence number.
  func path(ofSequence sequence: UInt8) throws -> String {
    try #require(try segmentPaths.first { try readFile($0)[24] == sequence })
  }
}
