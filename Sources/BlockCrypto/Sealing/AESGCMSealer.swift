package import IOSeams
package import StorageModel

/// Seals an encrypted volume with AES-256-GCM (NIST SP 800-38D) by OpenSSL.
///
/// Key: HKDF of the volume's data key over epoch and incarnation. Nonce: LSN ‖ position, unique
/// under such a key. Associated data: volume and place. Budget of a 4 KiB block: one pass, no
/// allocation, two short locks.
package final class AESGCMSealer: BlockSealer {
  private let volume: VolumeID
  private let dataKey: SecretBytes
  private let nameKey: SecretBytes
  private let contexts = ContextPool()

  /// - Throws: `KeyError.openSSL` if the key is not 32 bytes long or cannot be used.
  package init(volume: VolumeID, dataKey: SecretBytes) throws(KeyError) {
    guard dataKey.byteCount == GCMContext.keyByteCount else {
      throw .openSSL("use a data key of \(dataKey.byteCount) bytes; it has to have 32")
    }
    self.volume = volume
    self.dataKey = dataKey
    self.nameKey = try dataKey.derive(label: "galleonfs name hash", context: volume.uuid.bytes)
  }

  package var tagByteCount: Int { GCMContext.tagByteCount }
  package var encrypts: Bool { true }

  package func seal(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    nonce: SealNonce, place: SealPlace, tag: UnsafeMutableRawBufferPointer
  ) {
    precondition(target.count == source.count, "sealed text is as long as its source")
    precondition(tag.count == tagByteCount, "an AES-GCM tag has 16 bytes")
    let sealed = withContext(of: nonce, .seal) { context in
      Self.withNonceBytes(nonce) { nonceBytes in
        withAssociatedData(place) { associatedData in
          context.seal(
            source, into: target, nonce: nonceBytes, associatedData: associatedData, tag: tag)
        }
      }
    }
    // Without an answer to give, the only alternative would be to store plaintext.
    precondition(sealed == true, "OpenSSL seals with a valid key; it only fails without memory")
  }

  package func open(
    _ bytes: UnsafeMutableRawBufferPointer, nonce: SealNonce, place: SealPlace,
    tag: UnsafeRawBufferPointer
  ) -> Bool {
    let opened = withContext(of: nonce, .open) { context in
      Self.withNonceBytes(nonce) { nonceBytes in
        withAssociatedData(place) { associatedData in
          context.open(
            UnsafeRawBufferPointer(bytes), into: bytes, nonce: nonceBytes,
            associatedData: associatedData, tag: tag)
        }
      }
    }
    return opened == true
  }

  /// SipHash-2-4 under a key that is derived from the data key.
  package func nameHash(_ name: UnsafeRawBufferPointer) -> UInt64 {
    nameKey.withBytes { key in
      SipHash.hash(
        name, key0: UInt64(littleEndian: key.loadUnaligned(as: UInt64.self)),
        key1: UInt64(littleEndian: key.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
  }

  /// nil if no context can be made.
  private func withContext(
    of nonce: SealNonce, _ direction: GCMContext.Direction, _ body: (GCMContext) -> Bool
  ) -> Bool? {
    let name = SubkeyName(epoch: nonce.epoch, incarnation: nonce.incarnation)
    guard let context = contexts.take(name, direction) ?? makeContext(name, direction) else {
      return nil
    }
    defer { contexts.giveBack(context, name, direction) }
    return body(context)
  }

  private func makeContext(
    _ name: SubkeyName, _ direction: GCMContext.Direction
  ) -> GCMContext? {
    var context = volume.uuid.bytes
    context.append(bigEndian: name.epoch.rawValue)
    context.append(bigEndian: UInt64(name.incarnation.rawValue))
    guard let subkey = try? dataKey.derive(label: "galleonfs blocks", context: context) else {
      return nil  // the caller treats a missing context as OpenSSL's failure
    }
    return subkey.withBytes { GCMContext(key: $0, direction: direction) }
  }

  private static func withNonceBytes(
    _ nonce: SealNonce, _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: GCMContext.nonceByteCount, alignment: 8) { bytes in
      bytes.storeBytes(of: nonce.lsn.rawValue.bigEndian, as: UInt64.self)
      bytes.storeBytes(of: nonce.position.bigEndian, toByteOffset: 8, as: UInt32.self)
      return body(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Volume (16 bytes) ‖ kind (1) ‖ object (8) ‖ block (8), or volume ‖ kind ‖ key; big-endian.
  private func withAssociatedData(
    _ place: SealPlace, _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    let placeByteCount =
      switch place {
      case .block: 16
      case .value(let key): key.bytes.count
      }
    let byteCount = UUIDValue.byteCount + 1 + placeByteCount
    return withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { bytes in
      bytes.storeBytes(of: volume.uuid.high.bigEndian, as: UInt64.self)
      bytes.storeBytes(of: volume.uuid.low.bigEndian, toByteOffset: 8, as: UInt64.self)
      switch place {
      case .block(let object, let block):
        bytes[16] = 1
        bytes.storeBytes(of: object.rawValue.bigEndian, toByteOffset: 17, as: UInt64.self)
        bytes.storeBytes(of: block.rawValue.bigEndian, toByteOffset: 25, as: UInt64.self)
      case .value(let key):
        bytes[16] = 2
        key.bytes.withUnsafeBytes {
          UnsafeMutableRawBufferPointer(rebasing: bytes[17...]).copyMemory(from: $0)
        }
      }
      return body(UnsafeRawBufferPointer(bytes))
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(bigEndian value: UInt64) {
    for shift in stride(from: 56, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }
}
