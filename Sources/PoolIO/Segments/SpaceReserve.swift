internal import Glibc
internal import StorageModel
internal import Synchronization

/// How much of a pool's file system is left for others than segment data.
package struct SpaceReserve: Hashable, Sendable {
  /// Bytes below which no segment data is written, so that journal and index never meet a full
  /// disk; nil for 2 % of the file system, at least 64 MiB, at most 1 GiB.
  package var byteCount: UInt64?

  package init(byteCount: UInt64? = nil) { self.byteCount = byteCount }

  func byteCount(ofTotal total: UInt64) -> UInt64 {
    byteCount ?? min(1 << 30, max(64 << 20, total / 50))
  }
}

/// The space of a file system: bytes in all, and bytes that an unprivileged writer may still use.
package struct PoolSpace: Hashable, Sendable {
  package var totalBytes: UInt64
  /// Without the reserve.
  package var availableBytes: UInt64
}

/// Watches the free space, by statvfs(2) now and then.
final class SpaceGauge: Sendable {
  /// Written bytes and time after which the space is looked at anew. Others use the disk too.
  private static let sampleByteCount: UInt64 = 8 << 20
  private static let sampleNanoseconds: UInt64 = 100_000_000

  private struct Sample {
    var availableBytes: UInt64 = 0
    var takenNanoseconds: UInt64 = 0
    var writtenBytes: UInt64 = 0
  }

  private let path: String
  private let reserve: SpaceReserve
  private let sample = Mutex(Sample())

  init(path: String, reserve: SpaceReserve) {
    self.path = path
    self.reserve = reserve
  }

  func space() throws(StoreError) -> PoolSpace {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else {
      throw systemError("ask for the free space of \(path)")
    }
    let total = UInt64(status.f_blocks) * UInt64(status.f_frsize)
    let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    let reserved = reserve.byteCount(ofTotal: total)
    return PoolSpace(totalBytes: total, availableBytes: free > reserved ? free - reserved : 0)
  }

  /// - Throws: `.poolFull` if `byteCount` more bytes would eat into the reserve.
  func take(byteCount: UInt64) throws(StoreError) {
    let now = Self.coarseNanoseconds()
    let fits = sample.withLock { sample in
      guard now - sample.takenNanoseconds < Self.sampleNanoseconds,
        sample.writtenBytes < Self.sampleByteCount,
        sample.writtenBytes + byteCount <= sample.availableBytes
      else { return false }
      sample.writtenBytes += byteCount
      return true
    }
    guard !fits else { return }
    let available = try space().availableBytes
    guard byteCount <= available else { throw .poolFull }
    sample.withLock {
      $0 = Sample(availableBytes: available, takenNanoseconds: now, writtenBytes: byteCount)
    }
  }

  private static func coarseNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
