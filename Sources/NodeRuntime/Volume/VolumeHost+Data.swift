import DiskFormat
import IOSeams
import PoolIO
import StorageEngine
import StorageModel
import VFS

/// Reading and writing file data: the plan under the lock, the disk outside it.
extension VolumeHost {
  /// Times a read is planned anew because its blocks moved while it ran.
  private static var readAttemptLimit: Int { 16 }

  /// Reads up to `buffer.count` bytes; the count is shorter at the end of the file.
  func read(
    _ inode: InodeNumber, at offsetBytes: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileSystemFailure) -> Int {
    let start = monotonicNanoseconds()
    let count = try execute(into: buffer) { () throws(FileSystemFailure) in
      try look { files, engine throws(FileSystemFailure) in
        let file = try files.planRead(
          inode, at: offsetBytes, byteCount: buffer.count, store: engine)
        do throws(StoreError) {
          return try engine.resolve(
            file.object, offsetBytes: file.offsetBytes, byteCount: file.byteCount)
        } catch {
          throw .store(error)
        }
      }
    }
    counters.read(byteCount: count, since: start)
    return count
  }

  /// Carries a plan out. On an error it plans again: the same plan says that the error is real.
  private func execute(
    into buffer: UnsafeMutableRawBufferPointer,
    _ plan: () throws(FileSystemFailure) -> StorageEngine.ReadPlan
  ) throws(FileSystemFailure) -> Int {
    var current = try plan()
    for _ in 0..<Self.readAttemptLimit {
      do throws(ReadFailure) {
        try current.execute(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<current.byteCount]),
          journal: pool.journal, segments: pool.segments, sealer: sealer)
        return current.byteCount
      } catch {
        let next = try plan()
        guard next == current else {
          current = next
          continue
        }
        if case .corrupt(let address) = error {
          withEngine { $0.noteCorruption(at: address) }
        }
        throw .store(error.storeError)
      }
    }
    throw .store(.io(IOFailure(operation: "read blocks that keep moving", errorNumber: 5)))
  }

  /// Writes bytes of a file: small ones through the journal, large ones into a segment first.
  ///
  /// - Parameter scratch: memory for sealed bytes, not used when nothing is encrypted.
  func write(
    _ bytes: UnsafeRawBufferPointer, to inode: InodeNumber, at offsetBytes: UInt64,
    options: WriteOptions, request: FileRequest, scratch: UnsafeMutableRawBufferPointer
  ) throws(FileSystemFailure) {
    let start = monotonicNanoseconds()
    defer { counters.wrote(byteCount: bytes.count, since: start) }
    guard let parts = directParts(of: bytes, at: offsetBytes) else {
      return try change { files, engine throws(FileSystemFailure) in
        try files.write(
          bytes, to: inode, at: offsetBytes, options: options, store: &engine, for: request)
      }
    }
    let extent = try place(parts, object: inode.object, scratch: scratch)
    do throws(FileSystemFailure) {
      try change { files, engine throws(FileSystemFailure) in
        try files.commitWrite(
          DirectWrite(
            offsetBytes: offsetBytes, head: parts.head, extents: [extent.extent],
            tail: parts.tail),
          to: inode, options: options, store: &engine, for: request)
      }
    } catch {
      abandon(extent.reservation)
      throw error
    }
  }

  /// The pieces of a write that goes to a segment; nil for one that goes through the journal.
  private func directParts(
    of bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64
  ) -> DirectParts? {
    guard bytes.count >= Transaction.directWriteByteCount else { return nil }
    let size = blockSize.byteCount
    let headCount = Int((UInt64(size) - offsetBytes % UInt64(size)) % UInt64(size))
    let middleCount = (bytes.count - headCount) / size * size
    guard middleCount >= Transaction.directWriteByteCount / 2 else { return nil }
    return DirectParts(
      head: UnsafeRawBufferPointer(rebasing: bytes[..<headCount]),
      middle: UnsafeRawBufferPointer(
        rebasing: bytes[headCount..<headCount + middleCount]),
      tail: UnsafeRawBufferPointer(rebasing: bytes[(headCount + middleCount)...]),
      firstBlock: BlockNumber((offsetBytes + UInt64(headCount)) / UInt64(size)),
      blockCount: middleCount / size)
  }

  /// Puts the whole blocks of a write into fresh space of a segment.
  private func place(
    _ parts: DirectParts, object: ObjectNumber, scratch: UnsafeMutableRawBufferPointer
  ) throws(FileSystemFailure) -> (extent: PreparedExtent, reservation: Reservation) {
    var attempt = 0
    while true {
      attempt += 1
      var reservation: Reservation?
      do throws(StoreError) {
        let reserved = try withEngineCommitting { engine throws(StoreError) in
          try engine.reserve(blockCount: parts.blockCount)
        }
        reservation = reserved
        let extent = try StorageEngine.DirectWrite.write(
          parts.middle, object: object, firstBlock: parts.firstBlock, to: reserved,
          segments: pool.segments, sealer: sealer, scratch: scratch)
        return (extent, reserved)
      } catch {
        if let reservation { abandon(reservation) }
        guard attempt < Self.attemptLimit, makesRoom(after: .store(error)) else {
          throw .store(error)
        }
      }
    }
  }

  private func abandon(_ reservation: Reservation) {
    do throws(StoreError) {
      try withEngineCommitting { engine throws(StoreError) in try engine.abandon(reservation) }
    } catch {
      report(error, during: "abandon")
    }
  }

  // MARK: The device of a block volume

  /// Reads bytes of the device; the count is shorter at its end.
  func readDevice(
    at offsetBytes: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(StoreError) -> Int {
    let start = monotonicNanoseconds()
    let capacity = specification.capacityBytes
    let count = min(UInt64(buffer.count), capacity - min(capacity, offsetBytes))
    do throws(FileSystemFailure) {
      let read = try execute(into: buffer) { () throws(FileSystemFailure) in
        try withEngine { engine throws(FileSystemFailure) in
          do throws(StoreError) {
            return try engine.resolve(
              .device, offsetBytes: offsetBytes, byteCount: Int(count))
          } catch {
            throw .store(error)
          }
        }
      }
      counters.read(byteCount: read, since: start)
      return read
    } catch {
      throw Self.storeError(error)
    }
  }

  /// Writes bytes of the device; fewer are written at its end, `.noSpace` behind it.
  func writeDevice(
    _ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64,
    scratch: UnsafeMutableRawBufferPointer
  ) throws(StoreError) -> Int {
    let start = monotonicNanoseconds()
    let capacity = specification.capacityBytes
    guard offsetBytes < capacity else { throw .noSpace(neededBlocks: 1, availableBlocks: 0) }
    let count = Int(min(UInt64(bytes.count), capacity - offsetBytes))
    let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<count])
    do throws(FileSystemFailure) {
      guard let parts = directParts(of: bytes, at: offsetBytes) else {
        try changeDevice(
          Transaction([.write(object: .device, offsetBytes: offsetBytes, bytes: bytes)]))
        counters.wrote(byteCount: count, since: start)
        return count
      }
      let placed = try place(parts, object: .device, scratch: scratch)
      var transaction = Transaction()
      if !parts.head.isEmpty {
        transaction.mutations.append(
          .write(object: .device, offsetBytes: offsetBytes, bytes: parts.head))
      }
      transaction.mutations.append(
        .map(object: .device, firstBlock: parts.firstBlock, extent: placed.extent))
      if !parts.tail.isEmpty {
        transaction.mutations.append(
          .write(
            object: .device, offsetBytes: offsetBytes + UInt64(count - parts.tail.count),
            bytes: parts.tail))
      }
      do throws(FileSystemFailure) {
        try changeDevice(transaction)
      } catch {
        abandon(placed.reservation)
        throw error
      }
      counters.wrote(byteCount: count, since: start)
      return count
    } catch {
      throw Self.storeError(error)
    }
  }

  /// Makes a range of the device read as zeros and gives its space back.
  func discardDevice(at offsetBytes: UInt64, byteCount: UInt64) throws(StoreError) {
    let capacity = specification.capacityBytes
    guard offsetBytes < capacity else { return }
    do throws(FileSystemFailure) {
      try changeDevice(
        Transaction([
          .zero(
            object: .device, offsetBytes: offsetBytes,
            byteCount: min(byteCount, capacity - offsetBytes))
        ]))
    } catch {
      throw Self.storeError(error)
    }
  }

  private func changeDevice(_ transaction: Transaction) throws(FileSystemFailure) {
    for attempt in 1... {
      do throws(StoreError) {
        try withEngineCommitting { engine throws(StoreError) in
          _ = try engine.commit(transaction)
        }
        housekeeper.committed()
        return
      } catch {
        guard attempt < Self.attemptLimit, makesRoom(after: .store(error)) else {
          throw .store(error)
        }
      }
    }
  }

  private static func storeError(_ failure: FileSystemFailure) -> StoreError {
    switch failure {
    case .store(let error): error
    case .posix(let error): .invalid("\(error)")
    }
  }
}

/// A large write, cut at block boundaries.
private struct DirectParts {
  let head: UnsafeRawBufferPointer
  let middle: UnsafeRawBufferPointer
  let tail: UnsafeRawBufferPointer
  let firstBlock: BlockNumber
  let blockCount: Int
}
