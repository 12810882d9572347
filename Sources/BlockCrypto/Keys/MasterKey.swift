package import StorageModel

/// Wraps data keys with AES-256-GCM under one 32-byte key.
///
/// A wrapped key, all of it bound to the volume's ID as associated data:
///
/// | offset | size | field |
/// |---:|---:|---|
/// | 0 | 1 | format, 1 |
/// | 1 | 8 | fingerprint of the master key, to name the cause when another one is tried |
/// | 9 | 12 | nonce, random |
/// | 21 | 32 | data key, encrypted |
/// | 53 | 16 | tag |
package final class MasterKey: KeyEncryptor {
  package static let byteCount = GCMContext.keyByteCount
  package static let wrappedByteCount = 69

  private static let format: UInt8 = 1
  private static let nonceRange = 9..<21
  private static let textRange = 21..<53
  private static let tagRange = 53..<69

  private let key: SecretBytes
  private let fingerprint: [UInt8]

  package init(_ key: SecretBytes) throws(KeyError) {
    guard key.byteCount == Self.byteCount else {
      throw .openSSL("use a master key of \(key.byteCount) bytes; it has to have 32")
    }
    self.key = key
    let derived = try key.derive(label: "galleonfs master key fingerprint", context: [])
    self.fingerprint = derived.withBytes { Array($0.prefix(8)) }
  }

  package func wrap(_ dataKey: SecretBytes, of volume: VolumeID) throws(KeyError) -> [UInt8] {
    guard dataKey.byteCount == Self.textRange.count else {
      throw .openSSL("wrap a data key of \(dataKey.byteCount) bytes; it has to have 32")
    }
    guard let context = key.withBytes({ GCMContext(key: $0, direction: .seal) }) else {
      throw .openSSL("use the master key")
    }
    let nonce = try randomBytes(count: Self.nonceRange.count)
    var text = [UInt8](repeating: 0, count: Self.textRange.count)
    var tag = [UInt8](repeating: 0, count: Self.tagRange.count)
    let sealed = dataKey.withBytes { source in
      nonce.withUnsafeBytes { nonce in
        volume.uuid.bytes.withUnsafeBytes { associatedData in
          text.withUnsafeMutableBytes { text in
            tag.withUnsafeMutableBytes { tag in
              context.seal(
                source, into: text, nonce: nonce, associatedData: associatedData, tag: tag)
            }
          }
        }
      }
    }
    guard sealed else { throw .openSSL("wrap the key of volume \(volume)") }
    return [Self.format] + fingerprint + nonce + text + tag
  }

  package func unwrap(_ wrapped: [UInt8], of volume: VolumeID) throws(KeyError) -> SecretBytes {
    guard wrapped.count == Self.wrappedByteCount else {
      throw .notUnwrapped(
        volume: volume,
        reason: "expected \(Self.wrappedByteCount) wrapped bytes, found \(wrapped.count)")
    }
    guard wrapped[0] == Self.format else {
      throw .notUnwrapped(
        volume: volume, reason: "expected format \(Self.format), found \(wrapped[0])")
    }
    guard Array(wrapped[1..<9]) == fingerprint else {
      throw .notUnwrapped(
        volume: volume,
        reason: "it was wrapped with another master key; put that key file back")
    }
    guard let context = key.withBytes({ GCMContext(key: $0, direction: .open) }) else {
      throw .openSSL("use the master key")
    }
    return try unwrapText(wrapped, volume, context)
  }

  private func unwrapText(
    _ wrapped: [UInt8], _ volume: VolumeID, _ context: GCMContext
  ) throws(KeyError) -> SecretBytes {
    let secret = wrapped.withUnsafeBytes { wrapped in
      volume.uuid.bytes.withUnsafeBytes { associatedData in
        SecretBytes(byteCount: Self.textRange.count) { target in
          context.open(
            UnsafeRawBufferPointer(rebasing: wrapped[Self.textRange]), into: target,
            nonce: UnsafeRawBufferPointer(rebasing: wrapped[Self.nonceRange]),
            associatedData: associatedData,
            tag: UnsafeRawBufferPointer(rebasing: wrapped[Self.tagRange]))
        }
      }
    }
    guard let secret else {
      throw .notUnwrapped(
        volume: volume, reason: "its tag does not verify: the bytes rotted or are not its own")
    }
    return secret
  }
}
