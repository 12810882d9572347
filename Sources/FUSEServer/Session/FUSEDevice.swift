internal import CFuse3
internal import Glibc

/// An open `/dev/fuse`: where requests are read and answers written. Does not own the descriptor.
struct FUSEDevice: Sendable {
  let descriptor: Int32

  /// `struct fuse_out_header`: length, error (negative errno), unique.
  static let replyHeadByteCount = 16

  /// Writes one answer; false when the kernel did not take it.
  func send(unique: UInt64, error: Int32, payload: UnsafeRawBufferPointer?) -> Bool {
    let payloadByteCount = payload?.count ?? 0
    return withUnsafeTemporaryAllocation(byteCount: Self.replyHeadByteCount, alignment: 8) { head in
      let byteCount = Self.replyHeadByteCount + payloadByteCount
      head.storeBytes(of: UInt32(byteCount), toByteOffset: 0, as: UInt32.self)
      head.storeBytes(of: error, toByteOffset: 4, as: Int32.self)
      head.storeBytes(of: unique, toByteOffset: 8, as: UInt64.self)
      var vector = (
        iovec(iov_base: head.baseAddress, iov_len: head.count),
        iovec(
          iov_base: UnsafeMutableRawPointer(mutating: payload?.baseAddress),
          iov_len: payloadByteCount)
      )
      return withUnsafeBytes(of: &vector) { bytes in
        writev(
          descriptor, bytes.baseAddress?.assumingMemoryBound(to: iovec.self),
          payloadByteCount > 0 ? 2 : 1) == byteCount
      }
    }
  }

  /// Sends a notification: an answer that nobody asked for, its code in place of the error.
  func notify(code: Int32) -> Bool { send(unique: 0, error: code, payload: nil) }
}
