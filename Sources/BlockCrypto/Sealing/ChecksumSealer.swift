package import IOSeams
package import StorageModel

/// Seals a plain volume: XXH3-64 with the place as seed, the text unchanged.
///
/// The tag is the checksum's 8 bytes, little-endian. Budget of a 4 KiB block: one pass, no
/// allocation, no lock.
package struct ChecksumSealer: BlockSealer {
  private let volumeSeed: UInt64

  package init(volume: VolumeID) {
    self.volumeSeed = volume.uuid.bytes.withUnsafeBytes { xxh3($0) }
  }

  package var tagByteCount: Int { 8 }
  package var encrypts: Bool { false }

  package func seal(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    nonce: SealNonce, place: SealPlace, tag: UnsafeMutableRawBufferPointer
  ) {
    precondition(target.count == source.count, "sealed text is as long as its source")
    let isInPlace = UnsafeRawBufferPointer(target).baseAddress == source.baseAddress
    if !isInPlace { target.copyMemory(from: source) }
    let checksum = xxh3(UnsafeRawBufferPointer(target), seed: seed(of: place))
    tag.storeBytes(of: checksum.littleEndian, as: UInt64.self)
  }

  package func open(
    _ bytes: UnsafeMutableRawBufferPointer, nonce: SealNonce, place: SealPlace,
    tag: UnsafeRawBufferPointer
  ) -> Bool {
    guard tag.count == tagByteCount else { return false }
    let checksum = xxh3(UnsafeRawBufferPointer(bytes), seed: seed(of: place))
    return UInt64(littleEndian: tag.loadUnaligned(as: UInt64.self)) == checksum
  }

  package func nameHash(_ name: UnsafeRawBufferPointer) -> UInt64 { xxh3(name, seed: volumeSeed) }

  /// A seed that differs between places: kind, object and block, or kind and key.
  private func seed(of place: SealPlace) -> UInt64 {
    switch place {
    case .block(let object, let block):
      var words = (UInt64(1), object.rawValue.littleEndian, block.rawValue.littleEndian)
      return withUnsafeBytes(of: &words) { xxh3($0, seed: volumeSeed) }
    case .value(let key):
      return key.bytes.withUnsafeBytes { xxh3($0, seed: ~volumeSeed) }
    }
  }
}
