/// What a daemon asks of the mount keeper: one packet each.
///
/// ```
/// request                              answer
///   offset size field                    offset size field
///        0    4 magic "GFMK"                  0    1 status
///        4    1 version: 1                    1    n what was asked for
///        5    1 operation
///        6    2 length of the name, n
///        8    n name
///      8+n    m metadata
/// ```
/// Integers are little-endian. A descriptor travels with `store` and with the answer to `fetch`.
enum KeeperMessage: Hashable, Sendable {
  /// Keep the descriptor under a name; one that is kept there already is replaced.
  case store(name: String, metadata: [UInt8])
  /// Give a copy of the descriptor and its metadata.
  case fetch(name: String)
  /// Give all names.
  case list
  /// Close the descriptor; a name that is not kept is no error.
  case drop(name: String)
  /// End, if nothing is kept.
  case stop

  static let magic = Array("GFMK".utf8)
  static let version: UInt8 = 1
  static let headByteCount = 8
  static let maximumNameByteCount = 128
  static let maximumMetadataByteCount = 4096
  /// Descriptors that a keeper holds at most: `list` has to fit into one packet.
  static let maximumCount = 1024
  static let maximumByteCount = maximumCount * (maximumNameByteCount + 1) + 64

  private var code: UInt8 {
    switch self {
    case .store: 1
    case .fetch: 2
    case .list: 3
    case .drop: 4
    case .stop: 5
    }
  }

  private var name: String {
    switch self {
    case .store(let name, _), .fetch(let name), .drop(let name): name
    case .list, .stop: ""
    }
  }

  var bytes: [UInt8] {
    let name = Array(self.name.utf8)
    let length = [
      UInt8(truncatingIfNeeded: name.count), UInt8(truncatingIfNeeded: name.count >> 8),
    ]
    let head = Self.magic + [Self.version, code] + length + name
    if case .store(_, let metadata) = self { return head + metadata }
    return head
  }

  /// nil for what is no request of this version.
  init?(bytes: [UInt8]) {
    let head = Self.headByteCount
    guard bytes.count >= head, Array(bytes[..<4]) == Self.magic, bytes[4] == Self.version else {
      return nil
    }
    let nameByteCount = Int(bytes[6]) | Int(bytes[7]) << 8
    guard nameByteCount <= Self.maximumNameByteCount, bytes.count >= head + nameByteCount,
      let name = String(validating: bytes[head..<head + nameByteCount], as: UTF8.self)
    else { return nil }
    let metadata = Array(bytes[(head + nameByteCount)...])
    switch (bytes[5], name.isEmpty, metadata.isEmpty) {
    case (1, false, _) where metadata.count <= Self.maximumMetadataByteCount:
      self = .store(name: name, metadata: metadata)
    case (2, false, true): self = .fetch(name: name)
    case (3, true, true): self = .list
    case (4, false, true): self = .drop(name: name)
    case (5, true, true): self = .stop
    default: return nil
    }
  }
}

/// How the keeper answered.
enum KeeperStatus: UInt8, Sendable {
  case done = 0
  case notKept = 1
  case invalid = 2
  case full = 3
  case notEmpty = 4
}
