import BlockCrypto
import IOSeams
package import StorageModel

/// The data of block volumes, without a mount: for those who have the engine in their process.
///
/// A volume that is mounted is refused (`.volumeInUse`): the kernel would not see what changes
/// behind its caches, nor we what it holds back.
extension Node {
  /// Reads bytes of a block volume's device; fewer are returned at its end.
  package func readDevice(
    _ id: VolumeID, at offsetBytes: UInt64, byteCount: Int
  ) async throws(NodeError) -> [UInt8] {
    try await threads.run { [self] () throws(NodeError) in
      let host = try device(id)
      guard byteCount >= 0 else {
        throw .invalid("a read of \(byteCount) bytes: the count must not be negative")
      }
      let left = host.specification.capacityBytes.subtractingReportingOverflow(offsetBytes)
      let count = left.overflow ? 0 : Int(min(UInt64(byteCount), left.partialValue))
      var failure: StoreError?
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, readCount in
        do throws(StoreError) {
          readCount = try host.readDevice(
            at: offsetBytes,
            into: UnsafeMutableRawBufferPointer(
              start: UnsafeMutableRawPointer(buffer.baseAddress), count: count))
        } catch {
          failure = error
        }
      }
      if let failure {
        host.report(failure, during: "read")
        throw .store(failure)
      }
      return bytes
    }
  }

  /// Writes bytes of a block volume's device. Up to `Transaction.maximumInlineByteCount` are
  /// written whole or not at all, also in a crash; more, in parts of that.
  ///
  /// On return they outlive the process; with `durably`, also a power cut.
  package func writeDevice(
    _ id: VolumeID, _ bytes: [UInt8], at offsetBytes: UInt64, durably: Bool
  ) async throws(NodeError) {
    try await threads.run { [self] () throws(NodeError) in
      let host = try device(id)
      try Self.checkRange(
        offsetBytes, UInt64(bytes.count), capacityBytes: host.specification.capacityBytes)
      do throws(StoreError) {
        try Self.write(bytes, to: host, at: offsetBytes)
        if durably { try host.sync() }
      } catch {
        host.report(error, during: "write")
        throw .store(error)
      }
    }
  }

  /// Makes a range of a block volume's device read as zeros and gives its space back.
  package func discardDevice(
    _ id: VolumeID, at offsetBytes: UInt64, byteCount: UInt64
  ) async throws(NodeError) {
    try await threads.run { [self] () throws(NodeError) in
      let host = try device(id)
      try Self.checkRange(
        offsetBytes, byteCount, capacityBytes: host.specification.capacityBytes)
      guard byteCount > 0 else { return }
      do throws(StoreError) {
        try host.discardDevice(at: offsetBytes, byteCount: byteCount)
      } catch {
        host.report(error, during: "discard")
        throw .store(error)
      }
    }
  }

  /// Moves the journal's data home, makes the index durable and gives freed space back to the
  /// host, as happens by itself from time to time.
  package func checkpoint() async throws(NodeError) {
    try await threads.run { [self] () throws(NodeError) in
      do throws(StoreError) { try housekeeper.checkpoint() } catch { throw .store(error) }
    }
  }

  private func device(_ id: VolumeID) throws(NodeError) -> VolumeHost {
    let host = try volume(id)
    let specification = host.specification
    guard specification.content == .block else {
      throw .invalid(
        "volume \(specification.name) holds a file system, which is reached through a mount; "
          + "blocks can be read and written in volumes with the content block only")
    }
    guard !mountTable.isMounted(id) else {
      throw .volumeInUse(id, paths: try mountTable.records(of: id).map(\.path))
    }
    return host
  }

  private static func checkRange(
    _ offsetBytes: UInt64, _ byteCount: UInt64, capacityBytes: UInt64
  ) throws(NodeError) {
    guard offsetBytes <= capacityBytes, byteCount <= capacityBytes - offsetBytes else {
      throw .invalid(
        "\(byteCount) bytes at \(offsetBytes) reach beyond the volume, which has \(capacityBytes)")
    }
  }

  /// In parts of one transaction each, cut between blocks.
  private static func write(
    _ bytes: [UInt8], to host: VolumeHost, at offsetBytes: UInt64
  ) throws(StoreError) {
    let limit = Transaction.maximumInlineByteCount
    let scratchCount = host.sealer.encrypts ? min(bytes.count, limit) : 0
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: scratchCount, alignment: 4096)
    defer { scratch.deallocate() }
    var failure: StoreError?
    bytes.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count, failure == nil {
        let offset = offsetBytes + UInt64(written)
        var count = min(bytes.count - written, limit)
        if written + count < bytes.count {
          count -= Int((offset + UInt64(count)) % UInt64(host.blockSize.byteCount))
        }
        do throws(StoreError) {
          written += try host.writeDevice(
            UnsafeRawBufferPointer(rebasing: bytes[written..<written + count]), at: offset,
            scratch: scratch)
        } catch {
          failure = error
        }
      }
    }
    if let failure { throw failure }
  }
}
