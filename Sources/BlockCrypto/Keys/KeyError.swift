package import StorageModel

/// Why a key could not be made, read or used. Never holds key material.
package enum KeyError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The system refused.
  case io(IOFailure)
  /// The key file is not one that may be trusted, with what was found and what to do.
  case refused(path: String, reason: String)
  /// A volume's key cannot be unwrapped: another master key, or rotten bytes.
  case notUnwrapped(volume: VolumeID, reason: String)
  /// OpenSSL failed at this: out of memory, no randomness.
  case openSSL(String)

  package var description: String {
    switch self {
    case .io(let failure): failure.description
    case .refused(let path, let reason): "key file \(path) is refused: \(reason)"
    case .notUnwrapped(let volume, let reason): "the key of volume \(volume): \(reason)"
    case .openSSL(let operation): "OpenSSL cannot \(operation)"
    }
  }
}
