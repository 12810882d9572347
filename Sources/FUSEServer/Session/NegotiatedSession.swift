/// What kernel and daemon agreed on when a file system was mounted: all that a later daemon has
/// to know to go on with an open `/dev/fuse`.
package struct NegotiatedSession: Hashable, Sendable {
  package var regime: CachingRegime
  package var isReadOnly: Bool
  package var opensAreStateless: Bool
  package var invalidatesExplicitly: Bool
  /// The kernel's INIT as it was read, and the answer as it was sent.
  package var initRequest: [UInt8]
  package var initReply: [UInt8]

  package init(
    regime: CachingRegime, isReadOnly: Bool, opensAreStateless: Bool, invalidatesExplicitly: Bool,
    initRequest: [UInt8], initReply: [UInt8]
  ) {
    self.regime = regime
    self.isReadOnly = isReadOnly
    self.opensAreStateless = opensAreStateless
    self.invalidatesExplicitly = invalidatesExplicitly
    self.initRequest = initRequest
    self.initReply = initReply
  }
}

/// ```
///   offset size field
///        0    4 magic "GFN1"
///        4    1 flags: 1 exclusive, 2 read-only, 4 stateless opens, 8 explicit invalidation
///        5    1 length of INIT, n
///        6    1 length of its answer, m
///        7    n INIT
///      7+n    m its answer
/// ```
extension NegotiatedSession {
  private static let magic = Array("GFN1".utf8)
  private static let headByteCount = 7

  /// For the mount keeper, which stores it beside the descriptor.
  package var bytes: [UInt8] {
    let flags: UInt8 =
      (regime == .exclusive ? 1 : 0) | (isReadOnly ? 2 : 0) | (opensAreStateless ? 4 : 0)
      | (invalidatesExplicitly ? 8 : 0)
    let request = initRequest.prefix(255)
    let reply = initReply.prefix(255)
    return Self.magic + [flags, UInt8(request.count), UInt8(reply.count)] + request + reply
  }

  /// nil for anything but what `bytes` gave.
  package init?(bytes: [UInt8]) {
    guard bytes.count >= Self.headByteCount, Array(bytes[..<4]) == Self.magic,
      bytes[4] & ~15 == 0,
      bytes.count == Self.headByteCount + Int(bytes[5]) + Int(bytes[6]),
      Int(bytes[5]) >= KernelProtocol.requestHeadByteCount + 16
    else { return nil }
    let replyStart = Self.headByteCount + Int(bytes[5])
    self.init(
      regime: bytes[4] & 1 != 0 ? .exclusive : .shared, isReadOnly: bytes[4] & 2 != 0,
      opensAreStateless: bytes[4] & 4 != 0, invalidatesExplicitly: bytes[4] & 8 != 0,
      initRequest: Array(bytes[Self.headByteCount..<replyStart]),
      initReply: Array(bytes[replyStart...]))
  }
}
