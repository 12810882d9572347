package import StorageModel

/// Why an operation on the file system failed.
package enum FileSystemFailure: Error, Hashable, Sendable {
  /// The answer that POSIX has for the caller.
  case posix(FileError)
  /// What the volume met; `fileError` is the caller's answer, the rest belongs in the log.
  case store(StoreError)

  /// What the caller is told.
  package var fileError: FileError {
    switch self {
    case .posix(let error): error
    case .store(let error):
      switch error {
      case .noSpace, .poolFull: .noSpace
      case .corrupt, .io: .inputOutput
      case .invalid: .invalid
      case .readOnly: .readOnly
      }
    }
  }

  /// Bytes of the volume are not what they should be.
  static func corrupt(_ place: String, expected: String, found: String) -> FileSystemFailure {
    .store(.corrupt(Corruption(place: place, expected: expected, found: found)))
  }
}
