package import IOSeams
package import StorageModel

/// The sealer of any volume, so that the engine is specialised once and calls no existential.
package enum VolumeSealer: BlockSealer {
  case plain(ChecksumSealer)
  case encrypted(AESGCMSealer)

  /// A plain volume's sealer.
  package init(plain volume: VolumeID) { self = .plain(ChecksumSealer(volume: volume)) }

  /// An encrypted volume's sealer.
  package init(encrypted volume: VolumeID, dataKey: SecretBytes) throws(KeyError) {
    self = .encrypted(try AESGCMSealer(volume: volume, dataKey: dataKey))
  }

  package var tagByteCount: Int {
    switch self {
    case .plain(let sealer): sealer.tagByteCount
    case .encrypted(let sealer): sealer.tagByteCount
    }
  }

  package var encrypts: Bool {
    switch self {
    case .plain: false
    case .encrypted: true
    }
  }

  package func seal(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    nonce: SealNonce, place: SealPlace, tag: UnsafeMutableRawBufferPointer
  ) {
    switch self {
    case .plain(let sealer):
      sealer.seal(source, into: target, nonce: nonce, place: place, tag: tag)
    case .encrypted(let sealer):
      sealer.seal(source, into: target, nonce: nonce, place: place, tag: tag)
    }
  }

  package func open(
    _ bytes: UnsafeMutableRawBufferPointer, nonce: SealNonce, place: SealPlace,
    tag: UnsafeRawBufferPointer
  ) -> Bool {
    switch self {
    case .plain(let sealer): sealer.open(bytes, nonce: nonce, place: place, tag: tag)
    case .encrypted(let sealer): sealer.open(bytes, nonce: nonce, place: place, tag: tag)
    }
  }

  package func nameHash(_ name: UnsafeRawBufferPointer) -> UInt64 {
    switch self {
    case .plain(let sealer): sealer.nameHash(name)
    case .encrypted(let sealer): sealer.nameHash(name)
    }
  }
}
