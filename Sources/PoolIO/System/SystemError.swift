internal import Glibc
package import StorageModel

/// What the last system call of this thread failed with, in the store's words: a full disk or
/// quota is `.poolFull`, everything else `.io`.
func systemError(
  _ operation: @autoclosure () -> String, orIfNone fallback: Int32 = EIO
) -> StoreError {
  let number = errno == 0 ? fallback : errno
  switch number {
  case ENOSPC, EDQUOT: return .poolFull
  default: return .io(IOFailure(operation: operation(), errorNumber: number))
  }
}

extension IOFailure {
  /// The failure with the system's own words for it: `cannot open /x: Permission denied (errno 13)`.
  package var explanation: String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard strerror_r(errorNumber, &buffer, buffer.count) == 0 else { return description }
    let text = String(
      decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return "cannot \(operation): \(text) (errno \(errorNumber))"
  }
}

extension StoreError {
  /// The error as a sentence for people and logs.
  package var explanation: String {
    switch self {
    case .noSpace(let needed, let available):
      "the volume is full: \(needed) blocks are needed, \(available) are free"
    case .poolFull: "the pool's file system is full, or its journal waits for a checkpoint"
    case .corrupt(let corruption): "corrupt data in \(corruption)"
    case .io(let failure): failure.explanation
    case .invalid(let reason): reason
    case .readOnly(let reason): "nothing more can be written: \(reason)"
    }
  }
}
