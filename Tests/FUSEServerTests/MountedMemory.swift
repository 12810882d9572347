import FUSEServer
import Glibc
import MemoryFileSystem
import StorageModel

/// A memory file system mounted in a directory of its own, gone with `unmount`.
final class MountedMemory: Sendable {
  let directory: String
  let session: FUSESession
  let files: MemoryFileSystem

  init(
    _ regime: CachingRegime = .exclusive, readers: Int = 2, readOnly: Bool = false,
    stateless: Bool = false
  ) throws {
    directory = try makeTemporaryDirectory()
    files = MemoryFileSystem()
    session = try FUSESession(
      mountingAt: directory, handler: files,
      configuration: SessionConfiguration(
        regime: regime, isReadOnly: readOnly, readerThreadCount: readers, label: "test",
        opensAreStateless: stateless))
    try session.start()
  }

  func path(_ name: String) -> String { directory + "/" + name }

  func unmount() {
    umount2(directory, Int32(MNT_DETACH))
    session.close()
    rmdir(directory)
  }

  /// Runs `body` with a mount and undoes it after, also on failure.
  static func with(
    _ regime: CachingRegime = .exclusive, readers: Int = 2, readOnly: Bool = false,
    stateless: Bool = false, _ body: (MountedMemory) throws -> Void
  ) throws {
    let mounted = try MountedMemory(
      regime, readers: readers, readOnly: readOnly, stateless: stateless)
    defer { mounted.unmount() }
    try body(mounted)
  }
}

/// A system call that failed, with its errno.
struct SystemError: Error, Equatable, CustomStringConvertible {
  let number: Int32
  var description: String { String(cString: strerror(number)) }
}

func makeTemporaryDirectory() throws -> String {
  var template = Array("/tmp/galleon-fuse-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw SystemError(number: errno) }
  return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The result of a call that says -1 on failure.
@discardableResult
func check<Result: SignedInteger>(_ result: Result) throws -> Result {
  guard result != -1 else { throw SystemError(number: errno) }
  return result
}

/// The errno of a call that has to fail; 0 if it did not.
func failure(_ body: () throws -> some Any) -> Int32 {
  do {
    _ = try body()
    return 0
  } catch let error as SystemError {
    return error.number
  } catch {
    return -1
  }
}

func writeFile(_ path: String, _ bytes: [UInt8], flags: Int32 = O_CREAT | O_WRONLY) throws {
  let file = try check(open(path, flags, 0o644))
  defer { close(file) }
  var written = 0
  while written < bytes.count {
    written += try bytes[written...].withUnsafeBytes {
      try check(write(file, $0.baseAddress, $0.count))
    }
  }
}

func readFile(_ path: String) throws -> [UInt8] {
  let file = try check(open(path, O_RDONLY))
  defer { close(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = try buffer.withUnsafeMutableBytes {
      try check(read(file, $0.baseAddress, $0.count))
    }
    guard count > 0 else { return bytes }
    bytes += buffer[..<count]
  }
}

func status(_ path: String) throws -> stat {
  var result = stat()
  try check(lstat(path, &result))
  return result
}

func listing(_ path: String) throws -> [String] {
  guard let directory = opendir(path) else { throw SystemError(number: errno) }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    names.append(
      withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      })
  }
  return names
}

/// Bytes that differ at every offset.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 33)
  }
}
