internal import COpenSSL

/// One keyed AES-256-GCM state of OpenSSL, for one direction: a message costs a nonce, not a key
/// schedule.
///
/// `@unchecked Sendable`: the pool hands a context to one thread at a time, and nothing else
/// reaches it in between.
final class GCMContext: @unchecked Sendable {
  enum Direction { case seal, open }

  static let keyByteCount = 32
  static let nonceByteCount = 12
  static let tagByteCount = 16

  private let context: OpaquePointer

  /// nil if OpenSSL refuses the key or has no memory.
  init?(key: UnsafeRawBufferPointer, direction: Direction) {
    guard key.count == Self.keyByteCount, let bytes = key.baseAddress,
      let context = EVP_CIPHER_CTX_new()
    else { return nil }
    let keyBytes = bytes.assumingMemoryBound(to: UInt8.self)
    let result =
      switch direction {
      case .seal: EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, keyBytes, nil)
      case .open: EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, keyBytes, nil)
      }
    guard result == 1 else {
      EVP_CIPHER_CTX_free(context)
      return nil
    }
    self.context = context
  }

  /// Wipes the key schedule too.
  deinit { EVP_CIPHER_CTX_free(context) }

  /// Encrypts `source` into `target` (same length, may be the same memory) and writes the tag.
  func seal(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
    tag: UnsafeMutableRawBufferPointer
  ) -> Bool {
    var count: Int32 = 0
    guard nonce.count == Self.nonceByteCount, tag.count == Self.tagByteCount,
      source.count == target.count,
      EVP_EncryptInit_ex(context, nil, nil, nil, Self.bytes(nonce)) == 1,
      associatedData.isEmpty
        || EVP_EncryptUpdate(
          context, nil, &count, Self.bytes(associatedData), Int32(associatedData.count)) == 1,
      source.isEmpty
        || EVP_EncryptUpdate(
          context, Self.bytes(target), &count, Self.bytes(source), Int32(source.count)) == 1
    else { return false }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { rest in
      EVP_EncryptFinal_ex(context, rest.baseAddress, &count) == 1
        && EVP_CIPHER_CTX_ctrl(
          context, EVP_CTRL_AEAD_GET_TAG, Int32(tag.count), tag.baseAddress) == 1
    }
  }

  /// Decrypts `source` into `target` (may be the same memory); false if the tag does not verify,
  /// and then `target` is wiped.
  func open(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
    tag: UnsafeRawBufferPointer
  ) -> Bool {
    guard nonce.count == Self.nonceByteCount, tag.count == Self.tagByteCount,
      source.count == target.count,
      decrypt(source, target, nonce, associatedData), tagVerifies(tag)
    else {
      OPENSSL_cleanse(target.baseAddress, target.count)
      return false
    }
    return true
  }

  private func decrypt(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer,
    _ nonce: UnsafeRawBufferPointer, _ associatedData: UnsafeRawBufferPointer
  ) -> Bool {
    var count: Int32 = 0
    return EVP_DecryptInit_ex(context, nil, nil, nil, Self.bytes(nonce)) == 1
      && (associatedData.isEmpty
        || EVP_DecryptUpdate(
          context, nil, &count, Self.bytes(associatedData), Int32(associatedData.count)) == 1)
      && (source.isEmpty
        || EVP_DecryptUpdate(
          context, Self.bytes(target), &count, Self.bytes(source), Int32(source.count)) == 1)
  }

  private func tagVerifies(_ tag: UnsafeRawBufferPointer) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: Self.tagByteCount, alignment: 1) { copy in
      copy.copyMemory(from: tag)
      var count: Int32 = 0
      return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { rest in
        EVP_CIPHER_CTX_ctrl(
          context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagByteCount), copy.baseAddress) == 1
          && EVP_DecryptFinal_ex(context, rest.baseAddress, &count) == 1
      }
    }
  }

  private static func bytes(_ buffer: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
    buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }

  private static func bytes(
    _ buffer: UnsafeMutableRawBufferPointer
  ) -> UnsafeMutablePointer<UInt8>? {
    buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }
}
