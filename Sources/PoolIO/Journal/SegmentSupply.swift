internal import DiskFormat
internal import Glibc
internal import StorageModel

/// The journal's free segment files: recycled ones, and one made ahead by a thread of its own, so
/// that an append does not wait for 16 MiB of zeros.
///
/// `@unchecked Sendable`: every variable is read and written inside `monitor.withLock` only.
final class SegmentSupply: @unchecked Sendable {
  private let directory: String
  private let segmentByteCount: Int
  private let maximumCount: Int
  private let monitor = Monitor()
  private var free: [OpenFile] = []
  /// Files that exist: free, being made, and given out.
  private var totalCount: Int
  private var nextNumber: UInt32
  private var isWanted = false
  private var isMaking = false
  private var isStopped = false
  private var failure: StoreError?
  private var thread: WorkerThread?

  /// - Parameter totalCount: how many segment files exist; all hold records.
  init(
    directory: String, configuration: JournalConfiguration, totalCount: Int, nextNumber: UInt32
  ) {
    self.directory = directory
    self.segmentByteCount = configuration.segmentByteCount
    self.maximumCount = configuration.maximumSegmentCount
    self.totalCount = totalCount
    self.nextNumber = nextNumber
  }

  /// Starts making files ahead.
  func start() throws(StoreError) {
    let thread = try WorkerThread(name: "journal-supply") { self.prepare() }
    monitor.withLock {
      self.thread = thread
      wantIfEmpty()
    }
  }

  /// Ends the thread.
  func stop() {
    let thread = monitor.withLock {
      isStopped = true
      monitor.wakeAll()
      defer { self.thread = nil }
      return self.thread
    }
    thread?.join()
  }

  /// A file for the next segment; waits while one is being made.
  ///
  /// - Throws: `.poolFull` if the budget is used up; what making one failed with.
  func take() throws(StoreError) -> OpenFile {
    try monitor.withLock { () throws(StoreError) in
      failure = nil
      while free.isEmpty {
        if let failure { throw failure }
        guard !isStopped, isMaking || totalCount < maximumCount else { throw .poolFull }
        wantIfEmpty()
        monitor.wait()
      }
      let file = free.removeFirst()
      wantIfEmpty()
      return file
    }
  }

  /// Takes back a file that was not used.
  func giveBack(_ file: OpenFile) {
    monitor.withLock { free.append(file) }
  }

  /// Gives back the budget of files that were removed.
  func forget(count: Int) {
    monitor.withLock {
      totalCount -= count
      wantIfEmpty()
    }
  }

  /// Takes back segments whose records were trimmed; files of another size than is configured
  /// now are removed.
  func retire(_ segments: ArraySlice<JournalSegmentFile>) {
    monitor.withLock {
      for segment in segments {
        if segment.byteCount == segmentByteCount {
          free.append(segment.file)
        } else {
          unlink(segment.file.path)
          totalCount -= 1
        }
      }
      monitor.wakeAll()
    }
  }

  private func wantIfEmpty() {
    guard free.isEmpty, !isMaking, totalCount < maximumCount else { return }
    isWanted = true
    monitor.wakeAll()
  }

  /// The thread's body.
  private func prepare() {
    monitor.withLock {
      while !isStopped {
        guard isWanted, totalCount < maximumCount else {
          isWanted = false
          monitor.wait()
          continue
        }
        let path = "\(directory)/\(JournalSegmentFile.name(number: nextNumber))"
        nextNumber += 1
        totalCount += 1
        isWanted = false
        isMaking = true
        monitor.withoutLock { make(path) }
        isMaking = false
        monitor.wakeAll()
      }
    }
  }

  private func make(_ path: String) {
    do throws(StoreError) {
      let file = try JournalSegmentFile.create(path: path, byteCount: segmentByteCount)
      monitor.withLock { free.append(file) }
    } catch {
      monitor.withLock {
        totalCount -= 1
        failure = error
      }
    }
  }
}
