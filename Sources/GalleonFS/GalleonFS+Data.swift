import NodeRuntime
import StorageModel

/// The data of block volumes. A volume that is mounted is written through its mount: `.inUse`.
extension GalleonFS {
  /// Writes a block, or its beginning: bytes behind those given keep what they hold.
  ///
  /// The block is written whole or not at all, also in a crash.
  ///
  /// - Parameters:
  ///   - bytes: at most `Volume.blockByteCount`.
  ///   - concern: when to return; nil for what the volume's class says.
  public func writeBlock(
    _ id: Volume.ID, _ block: UInt64, _ bytes: [UInt8], concern: WriteConcern? = nil
  ) async throws(GalleonFSError) {
    let (volume, shape) = try await shape(of: id)
    guard bytes.count <= shape.blockByteCount else {
      throw .invalid(
        "\(bytes.count) bytes do not fit into a block of \(shape.blockByteCount); "
          + "write(_:at:_:concern:) takes any number")
    }
    try await write(
      volume, at: try shape.offset(ofBlock: block), bytes, concern: concern ?? shape.concern)
  }

  /// Reads a whole block; one that was never written is zeros.
  public func readBlock(
    _ id: Volume.ID, _ block: UInt64
  ) async throws(GalleonFSError) -> [UInt8] {
    let (volume, shape) = try await shape(of: id)
    let offset = try shape.offset(ofBlock: block)
    return try await call { (node) throws(NodeError) in
      try await node.readDevice(volume, at: offset, byteCount: shape.blockByteCount)
    }
  }

  /// Writes bytes anywhere in the volume. Up to 1 MiB is written whole or not at all, also in a
  /// crash; more, in parts of that.
  public func write(
    _ id: Volume.ID, at offsetBytes: UInt64, _ bytes: [UInt8], concern: WriteConcern? = nil
  ) async throws(GalleonFSError) {
    let (volume, shape) = try await shape(of: id)
    try await write(volume, at: offsetBytes, bytes, concern: concern ?? shape.concern)
  }

  /// Reads bytes from anywhere in the volume; fewer are returned at its end.
  public func read(
    _ id: Volume.ID, at offsetBytes: UInt64, byteCount: Int
  ) async throws(GalleonFSError) -> [UInt8] {
    let volume = try Self.parse(id)
    return try await call { (node) throws(NodeError) in
      try await node.readDevice(volume, at: offsetBytes, byteCount: byteCount)
    }
  }

  /// Makes a range read as zeros and gives its space back.
  public func discard(
    _ id: Volume.ID, at offsetBytes: UInt64, byteCount: UInt64
  ) async throws(GalleonFSError) {
    let volume = try Self.parse(id)
    try await call { (node) throws(NodeError) in
      try await node.discardDevice(volume, at: offsetBytes, byteCount: byteCount)
    }
  }

  /// Returns when all that was written to the volume before, through its mounts too, is on
  /// stable storage. nil: of all volumes.
  public func sync(_ id: Volume.ID? = nil) async throws(GalleonFSError) {
    let volume: VolumeID?
    if let id { volume = try Self.parse(id) } else { volume = nil }
    try await call { (node) throws(NodeError) in try await node.sync(volume) }
  }

  private func write(
    _ volume: VolumeID, at offsetBytes: UInt64, _ bytes: [UInt8], concern: WriteConcern
  ) async throws(GalleonFSError) {
    let isDurable: Bool
    switch concern {
    case .acknowledged: isDurable = false
    case .durable, .replicated: isDurable = true
    case .distributed:
      throw .unsupported(
        "write concern distributed needs replicas in two zones, and this storage is one node; "
          + "use durable")
    }
    try await call { (node) throws(NodeError) in
      try await node.writeDevice(volume, bytes, at: offsetBytes, durably: isDurable)
    }
  }

  private struct Shape {
    var blockByteCount: Int
    var blockCount: UInt64
    var concern: WriteConcern

    func offset(ofBlock block: UInt64) throws(GalleonFSError) -> UInt64 {
      guard block < blockCount else {
        throw .invalid(
          "block \(block) is beyond the volume, which has \(blockCount) blocks from 0 on")
      }
      return block * UInt64(blockByteCount)
    }
  }

  private func shape(of id: Volume.ID) async throws(GalleonFSError) -> (VolumeID, Shape) {
    let volume = try Self.parse(id)
    let specification = try await call { (node) throws(NodeError) in
      try node.volume(volume).specification
    }
    let size = specification.blockSize.byteCount
    return (
      volume,
      Shape(
        blockByteCount: size, blockCount: specification.capacityBytes / UInt64(size),
        concern: WriteConcern(specification.writeConcern))
    )
  }
}
