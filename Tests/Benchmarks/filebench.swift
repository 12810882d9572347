// Measures a mounted file system with plain system calls; Tests/Benchmarks/run.sh compiles it with
// `swiftc -O` and drives it. Prints one line a row: key, tab, value (its unit is in the table).
//
//   filebench data DIRECTORY    sequential and random reads and writes of one large file
//   filebench sync DIRECTORY    4 KiB overwrites, each with fdatasync
//   filebench names DIRECTORY   create, stat, list, read, rename, unlink of small files
//   filebench small DIRECTORY   create, write, fsync, close
//
// Sizes come from the environment: FILE_MIB, FILES, SECONDS_PER_ROW. Needs root to drop caches.

import Glibc

let fileByteCount = setting("FILE_MIB", 512) << 20
let fileCount = setting("FILES", 2000)
let secondsPerRow = Double(setting("SECONDS_PER_ROW", 2))
let blockByteCount = 4096

func setting(_ name: String, _ fallback: Int) -> Int {
  getenv(name).flatMap { Int(String(cString: $0)) } ?? fallback
}

// MARK: - What all rows need

func complain(_ text: String) {
  let line = "filebench: \(text)\n"
  write(2, line, line.utf8.count)
}

/// Ends the program with a message: a row that cannot be measured has no value.
func fail(_ what: String) -> Never {
  complain("cannot \(what): \(String(cString: strerror(errno)))")
  exit(1)
}

func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func report(_ key: String, _ value: Double) {
  let digits = value < 10 ? 100.0 : 1.0
  print("\(key)\t\((value * digits).rounded() / digits)")
  fflush(nil)
}

/// Drops the kernel's clean pages (1), names and inodes (2), or both (3).
func dropCaches(_ what: Int) {
  sync()
  let file = open("/proc/sys/vm/drop_caches", O_WRONLY)
  guard file >= 0, write(file, "\(what)", 1) == 1 else { fail("drop caches") }
  close(file)
}

func openFile(_ path: String, _ flags: Int32) -> Int32 {
  let file = open(path, flags | O_CLOEXEC, 0o644)
  guard file >= 0 else { fail("open \(path)") }
  return file
}

/// xorshift64*: quick enough not to be measured.
struct Random: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

/// Page-aligned memory that does not compress.
func buffer(_ byteCount: Int, seed: UInt64) -> UnsafeMutableRawBufferPointer {
  let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 4096)
  var random = Random(state: seed | 1)
  for word in memory.bindMemory(to: UInt64.self).indices {
    memory.storeBytes(of: random.next(), toByteOffset: word * 8, as: UInt64.self)
  }
  return memory
}

final class Work: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Runs the body on `count` threads and waits for all.
func parallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  var threads: [pthread_t] = []
  for index in 0..<count {
    let work = Unmanaged.passRetained(Work { body(index) })
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { pointer in
        if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    guard status == 0 else { fail("start a thread") }
    threads.append(thread)
  }
  for thread in threads { pthread_join(thread, nil) }
}

/// Operations a second of `count` threads that each repeat `body` for the time of a row, or until
/// `limit` operations are done.
func rate(
  threads count: Int, limit: Int = .max,
  _ body: @escaping @Sendable (_ thread: Int, _ operation: Int, inout Random) -> Void
) -> Double {
  let done = UnsafeMutablePointer<Int>.allocate(capacity: count)
  defer { done.deallocate() }
  let counts = UInt(bitPattern: done)
  let start = now()
  parallel(count) { index in
    var random = Random(state: UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15)
    var operations = 0
    let end = now() + secondsPerRow
    while operations < limit / count, now() < end {
      body(index, operations, &random)
      operations += 1
    }
    UnsafeMutablePointer<Int>(bitPattern: counts)?[index] = operations
  }
  let elapsed = now() - start
  return Double((0..<count).map { done[$0] }.reduce(0, +)) / elapsed
}

/// Operations a second of a body that is called once for each number.
func rate(of count: Int, _ body: (Int) -> Void) -> Double {
  let start = now()
  for number in 0..<count { body(number) }
  return Double(count) / (now() - start)
}

// MARK: - Groups of rows

func readAll(_ path: String, _ piece: UnsafeMutableRawBufferPointer) -> Double {
  let file = openFile(path, O_RDONLY)
  defer { close(file) }
  let start = now()
  var total = 0
  while true {
    let count = read(file, piece.baseAddress, piece.count)
    if count < 0 { fail("read \(path)") }
    if count == 0 { break }
    total += count
  }
  return Double(total) / 1e6 / (now() - start)
}

func measureData(_ directory: String) {
  let path = "\(directory)/large"
  let piece = buffer(1 << 20, seed: 1)
  let writing = openFile(path, O_RDWR | O_CREAT | O_TRUNC)
  let start = now()
  for _ in 0..<(fileByteCount >> 20) {
    guard write(writing, piece.baseAddress, piece.count) == piece.count else {
      fail("write \(path)")
    }
  }
  guard fsync(writing) == 0 else { fail("fsync \(path)") }
  report("seq-write", Double(fileByteCount) / 1e6 / (now() - start))
  dropCaches(3)
  report("seq-read-cold", readAll(path, piece))
  report("seq-read-warm", readAll(path, piece))

  let blocks = fileByteCount / blockByteCount
  let reading = openFile(path, O_RDONLY)
  for (key, threads, isCold) in [
    ("rand-read-cold-1", 1, true), ("rand-read-cold-4", 4, true), ("rand-read-warm-1", 1, false),
  ] {
    posix_fadvise(reading, 0, 0, isCold ? POSIX_FADV_RANDOM : POSIX_FADV_NORMAL)
    if isCold { dropCaches(3) } else { _ = readAll(path, piece) }
    // Cold: a stride that is coprime to the number of blocks meets each block once.
    let stride = (blocks / 3) | 1
    let value = rate(threads: threads, limit: isCold ? blocks : .max) { index, operation, random in
      withUnsafeTemporaryAllocation(byteCount: blockByteCount, alignment: 4096) { block in
        let number =
          isCold
          ? (operation * threads + index) &* stride % blocks
          : Int.random(in: 0..<blocks, using: &random)
        let offset = number * blockByteCount
        if pread(reading, block.baseAddress, blockByteCount, offset) != blockByteCount {
          fail("read a block")
        }
      }
    }
    report(key, value)
  }
  let count = min(20_000, blocks)
  var random = Random(state: 7)
  let begun = now()
  for _ in 0..<count {
    let offset = Int.random(in: 0..<blocks, using: &random) * blockByteCount
    if pwrite(writing, piece.baseAddress, blockByteCount, offset) != blockByteCount {
      fail("write a block")
    }
  }
  guard fsync(writing) == 0 else { fail("fsync \(path)") }
  report("rand-write-buffered", Double(count) / (now() - begun))
  close(reading)
  close(writing)
  unlink(path)
}

func measureSync(_ directory: String) {
  let byteCount = min(64 << 20, fileByteCount)
  let files = (0..<4).map { number in
    let file = openFile("\(directory)/sync\(number)", O_RDWR | O_CREAT | O_TRUNC)
    let piece = buffer(1 << 20, seed: UInt64(number) + 2)
    defer { piece.deallocate() }
    for _ in 0..<(byteCount >> 20) {
      guard write(file, piece.baseAddress, piece.count) == piece.count else { fail("write") }
    }
    guard fsync(file) == 0 else { fail("fsync") }
    return file
  }
  for (key, threads, spread) in [
    ("sync-write-1", 1, 1), ("sync-write-4-one", 4, 1), ("sync-write-4-four", 4, 4),
  ] {
    let value = rate(threads: threads) { index, _, random in
      withUnsafeTemporaryAllocation(byteCount: blockByteCount, alignment: 4096) { block in
        block.storeBytes(of: random.next(), as: UInt64.self)
        let file = files[index % spread]
        let offset = Int.random(in: 0..<(byteCount / blockByteCount), using: &random)
        if pwrite(file, block.baseAddress, blockByteCount, offset * blockByteCount) < 0
          || fdatasync(file) != 0
        {
          fail("write and sync a block")
        }
      }
    }
    report(key, value)
  }
  for number in 0..<4 {
    close(files[number])
    unlink("\(directory)/sync\(number)")
  }
}

/// Reads a directory tree with the attributes of each entry, as `ls -lR` does; returns how many.
func listAll(_ directory: String) -> Int {
  guard let stream = opendir(directory) else { fail("list \(directory)") }
  defer { closedir(stream) }
  var count = 0
  var subdirectories: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name == "." || name == ".." { continue }
    var status = stat()
    guard fstatat(dirfd(stream), name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      fail("stat \(name)")
    }
    count += 1
    if status.st_mode & S_IFMT == S_IFDIR { subdirectories.append("\(directory)/\(name)") }
  }
  return subdirectories.reduce(count) { $0 + listAll($1) }
}

func measureNames(_ directory: String) {
  let directoryCount = max(1, fileCount / 100)
  let top = "\(directory)/names"
  mkdir(top, 0o755)
  for number in 0..<directoryCount { mkdir("\(top)/\(number)", 0o755) }
  let paths = (0..<fileCount).map { "\(top)/\($0 % directoryCount)/file\($0)" }
  let block = buffer(blockByteCount, seed: 3)
  report(
    "create",
    rate(of: fileCount) { number in
      let file = openFile(paths[number], O_WRONLY | O_CREAT | O_EXCL)
      if write(file, block.baseAddress, blockByteCount) != blockByteCount { fail("write") }
      close(file)
    })
  func statAll(_ number: Int) {
    var status = stat()
    if stat(paths[number], &status) != 0 { fail("stat \(paths[number])") }
  }
  report("stat-created", rate(of: fileCount, statAll))
  dropCaches(2)
  report("stat-dropped", rate(of: fileCount, statAll))
  for (key, isCold) in [("list-cold", true), ("list-again", false)] {
    if isCold { dropCaches(3) }
    let start = now()
    report(key, Double(listAll(top)) / (now() - start))
  }
  dropCaches(3)
  report(
    "open-read-close",
    rate(of: fileCount) { number in
      let file = openFile(paths[number], O_RDONLY)
      if read(file, block.baseAddress, blockByteCount) != blockByteCount { fail("read") }
      close(file)
    })
  report(
    "rename",
    rate(of: fileCount) { number in
      if rename(paths[number], paths[number] + "r") != 0 { fail("rename") }
    })
  report(
    "unlink", rate(of: fileCount) { if unlink(paths[$0] + "r") != 0 { fail("unlink") } })
  report(
    "mkdir", rate(of: fileCount) { if mkdir("\(top)/0/d\($0)", 0o755) != 0 { fail("mkdir") } })
  report("rmdir", rate(of: fileCount) { if rmdir("\(top)/0/d\($0)") != 0 { fail("rmdir") } })
  for number in 0..<directoryCount { rmdir("\(top)/\(number)") }
  rmdir(top)
}

func measureSmall(_ directory: String) {
  let count = max(20, fileCount / 8)
  for (key, threads) in [("small-sync-1", 1), ("small-sync-4", 4)] {
    for index in 0..<threads { mkdir("\(directory)/small\(index)", 0o755) }
    let start = now()
    parallel(threads) { index in
      let block = buffer(blockByteCount, seed: UInt64(index) + 5)
      defer { block.deallocate() }
      for number in 0..<count {
        let file = openFile("\(directory)/small\(index)/\(number)", O_WRONLY | O_CREAT | O_EXCL)
        if write(file, block.baseAddress, blockByteCount) != blockByteCount || fsync(file) != 0 {
          fail("write and sync a file")
        }
        close(file)
      }
    }
    report(key, Double(count * threads) / (now() - start))
    for index in 0..<threads {
      for number in 0..<count { unlink("\(directory)/small\(index)/\(number)") }
      rmdir("\(directory)/small\(index)")
    }
  }
}

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
  complain("usage: filebench data|sync|names|small DIRECTORY")
  exit(2)
}
switch arguments[1] {
case "data": measureData(arguments[2])
case "sync": measureSync(arguments[2])
case "names": measureNames(arguments[2])
case "small": measureSmall(arguments[2])
default:
  complain("no group \(arguments[1])")
  exit(2)
}
