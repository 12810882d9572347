internal import COpenSSL

/// Key material: wiped when it goes, never printed, never copied by accident.
package final class SecretBytes: Sendable {
  /// Written only by the initialisers, before any other thread can know of it, and by `deinit`.
  private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer

  package var byteCount: Int { storage.count }

  /// Bytes that `fill` writes; it returns false on failure.
  init?(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Bool) {
    let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
    self.storage = storage
    guard fill(storage) else { return nil }
  }

  /// The caller wipes its own copy.
  package init(copying bytes: UnsafeRawBufferPointer) {
    storage = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
    storage.copyMemory(from: bytes)
  }

  deinit {
    OPENSSL_cleanse(storage.baseAddress, storage.count)
    storage.deallocate()
  }

  /// Fresh random bytes from OpenSSL's private generator.
  package static func random(byteCount: Int) throws(KeyError) -> SecretBytes {
    let secret = SecretBytes(byteCount: byteCount) {
      RAND_priv_bytes($0.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32($0.count)) == 1
    }
    guard let secret else { throw .openSSL("make \(byteCount) random bytes") }
    return secret
  }

  package func withBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try body(UnsafeRawBufferPointer(storage))
  }

  /// 32 bytes by HKDF-SHA256's expand step (RFC 5869, 2.3): the secret is uniformly random, so
  /// it needs no extract step (3.3).
  func derive(label: String, context: [UInt8]) throws(KeyError) -> SecretBytes {
    let info = Array(label.utf8) + [0] + context + [1]
    let secret = SecretBytes(byteCount: 32) { target in
      var byteCount: UInt32 = 0
      return HMAC(
        EVP_sha256(), storage.baseAddress, Int32(storage.count), info, info.count,
        target.baseAddress?.assumingMemoryBound(to: UInt8.self), &byteCount) != nil
        && byteCount == 32
    }
    guard let secret else { throw .openSSL("derive a key") }
    return secret
  }

  /// Compares in constant time.
  package func equals(_ other: SecretBytes) -> Bool {
    byteCount == other.byteCount
      && CRYPTO_memcmp(storage.baseAddress, other.storage.baseAddress, byteCount) == 0
  }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "secret of \(byteCount) bytes" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Random bytes that need not stay secret: nonces, identifiers.
package func randomBytes(count: Int) throws(KeyError) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  guard RAND_bytes(&bytes, Int32(count)) == 1 else {
    throw .openSSL("make \(count) random bytes")
  }
  return bytes
}
