package import StorageModel

/// Keeps volumes' data keys safe at rest: a key file now, an outside key service later.
package protocol KeyEncryptor: Sendable {
  /// Encrypts a volume's data key; the result may be stored beside the data.
  func wrap(_ key: SecretBytes, of volume: VolumeID) throws(KeyError) -> [UInt8]

  /// - Throws: `notUnwrapped` if the bytes were not wrapped by this, for this volume.
  func unwrap(_ wrapped: [UInt8], of volume: VolumeID) throws(KeyError) -> SecretBytes
}

extension KeyEncryptor {
  /// A fresh data key for a volume.
  package func makeDataKey() throws(KeyError) -> SecretBytes {
    try SecretBytes.random(byteCount: GCMContext.keyByteCount)
  }
}
