package import StorageModel

/// What makes a seal unique: with the volume's key, no two seals ever share one.
///
/// `position` counts the blocks and values sealed under one LSN. Epoch and incarnation choose a
/// key of their own (a write lost in a crash gives its LSN back, never its nonce).
package struct SealNonce: Hashable, Sendable {
  package var epoch: Epoch
  package var incarnation: Incarnation
  package var lsn: LSN
  package var position: UInt32

  package init(epoch: Epoch, incarnation: Incarnation, lsn: LSN, position: UInt32) {
    self.epoch = epoch
    self.incarnation = incarnation
    self.lsn = lsn
    self.position = position
  }
}

/// Where sealed bytes belong; bound to them, so that bytes moved elsewhere do not verify.
package enum SealPlace: Hashable, Sendable {
  case block(object: ObjectNumber, block: BlockNumber)
  case value(key: StoreKey)
}

/// Checksums or encrypts one volume's blocks and values, and tells when they rotted.
///
/// A plain volume's seal is XXH3-64 (tag 8 bytes, text unchanged); an encrypted one's is
/// AES-256-GCM (tag 16 bytes). The pure layers see only this.
package protocol BlockSealer: Sendable {
  var tagByteCount: Int { get }

  /// Whether `seal` changes the text. If not, callers may skip the copy.
  var encrypts: Bool { get }

  /// Seals `source` into `target` (same length; may be the same memory) and appends the tag.
  func seal(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    nonce: SealNonce, place: SealPlace, tag: UnsafeMutableRawBufferPointer)

  /// Opens in place; false if the tag does not verify, and then the bytes must not be used.
  func open(
    _ bytes: UnsafeMutableRawBufferPointer, nonce: SealNonce, place: SealPlace,
    tag: UnsafeRawBufferPointer
  ) -> Bool

  /// A keyed hash of a directory entry's name: stable for the volume's life, and without the key
  /// it tells nothing of the name.
  func nameHash(_ name: UnsafeRawBufferPointer) -> UInt64
}
