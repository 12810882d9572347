/// A system call that the world refused.
package struct IOFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, as a verb with its object: `sync journal segment 12`.
  package let operation: String
  /// The errno of the C library.
  package let errorNumber: Int32

  package init(operation: String, errorNumber: Int32) {
    self.operation = operation
    self.errorNumber = errorNumber
  }

  package var description: String { "cannot \(operation): errno \(errorNumber)" }
}

/// Bytes on disk that are not what they should be.
package struct Corruption: Error, Hashable, Sendable, CustomStringConvertible {
  /// Which structure, and where: `chunk 3 of object 17, block 2`.
  package let place: String
  package let expected: String
  package let found: String

  package init(place: String, expected: String, found: String) {
    self.place = place
    self.expected = expected
    self.found = found
  }

  package var description: String { "\(place): expected \(expected), found \(found)" }
}

/// Why a volume could not do what it was asked.
package enum StoreError: Error, Hashable, Sendable {
  /// The volume's capacity is reached: ENOSPC.
  case noSpace(neededBlocks: UInt64, availableBlocks: UInt64)
  /// The pool's file system is full, or nearly (a reserve is kept for the journal): ENOSPC.
  case poolFull
  case corrupt(Corruption)
  case io(IOFailure)
  /// The transaction breaks a bound of the format, said in the text.
  case invalid(String)
  /// The pool or volume stopped accepting writes, with the reason: after a failed sync nothing
  /// more is acknowledged until it was recovered.
  case readOnly(String)
}
