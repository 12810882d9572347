package import StorageModel

/// Answers statfs.
package struct StatisticsReply: ~Copyable, Sendable {
  private let token: ReplyToken

  package init(_ token: ReplyToken) { self.token = token }

  deinit { token.abandon() }

  @discardableResult
  package consuming func statistics(_ statistics: FileSystemStatistics) -> Bool {
    let token = self.token
    discard self
    return token.sendStatistics(statistics)
  }

  @discardableResult
  package consuming func fail(_ error: FileError) -> Bool {
    let token = self.token
    discard self
    return token.sendError(error)
  }

  package consuming func detach() -> ReplyToken {
    let token = self.token
    discard self
    return token
  }
}

/// Answers getxattr and listxattr, also where the caller only asks for the size.
package struct ExtendedAttributeReply: ~Copyable, Sendable {
  private let token: ReplyToken
  /// Bytes that the caller has room for; 0 asks for the value's size.
  private let capacityByteCount: Int

  package init(_ token: ReplyToken, capacityByteCount: Int) {
    self.token = token
    self.capacityByteCount = capacityByteCount
  }

  deinit { token.abandon() }

  /// Answers the whole value; its size or ERANGE as the caller's room asks for.
  @discardableResult
  package consuming func value(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let (token, capacity) = (self.token, capacityByteCount)
    discard self
    return Self.send(bytes, token, capacity)
  }

  private static func send(
    _ bytes: UnsafeRawBufferPointer, _ token: ReplyToken, _ capacityByteCount: Int
  ) -> Bool {
    if capacityByteCount == 0 { return token.sendSize(byteCount: bytes.count) }
    guard bytes.count <= capacityByteCount else { return token.sendError(.outOfRange) }
    return token.sendData(bytes)
  }

  @discardableResult
  package consuming func value(_ bytes: [UInt8]) -> Bool {
    let (token, capacity) = (self.token, capacityByteCount)
    discard self
    return bytes.withUnsafeBytes { Self.send($0, token, capacity) }
  }

  @discardableResult
  package consuming func fail(_ error: FileError) -> Bool {
    let token = self.token
    discard self
    return token.sendError(error)
  }

  package consuming func detach() -> (token: ReplyToken, capacityByteCount: Int) {
    let (token, capacity) = (self.token, capacityByteCount)
    discard self
    return (token, capacity)
  }
}

/// Answers lseek.
package struct SeekReply: ~Copyable, Sendable {
  private let token: ReplyToken

  package init(_ token: ReplyToken) { self.token = token }

  deinit { token.abandon() }

  @discardableResult
  package consuming func found(atOffsetBytes offset: UInt64) -> Bool {
    let token = self.token
    discard self
    return token.sendSeek(offsetBytes: offset)
  }

  /// `.noDeviceOrAddress` when there is no more data.
  @discardableResult
  package consuming func fail(_ error: FileError) -> Bool {
    let token = self.token
    discard self
    return token.sendError(error)
  }

  package consuming func detach() -> ReplyToken {
    let token = self.token
    discard self
    return token
  }
}

/// Answers readdir and readdirplus: entries are added until one does not fit, then `finish`.
package struct DirectoryReply: ~Copyable {
  private let token: ReplyToken
  private var encoder: DirectoryEncoder

  package init(_ token: ReplyToken, encoder: consuming DirectoryEncoder) {
    self.token = token
    self.encoder = encoder
  }

  deinit { token.abandon() }

  /// Whether `add` wants whole attributes (readdirplus).
  package var includesAttributes: Bool { encoder.includesAttributes }
  /// Bytes that the entries may occupy.
  package var capacityByteCount: Int { encoder.capacityByteCount }

  /// Adds an entry without attributes; false, and nothing added, when it does not fit.
  package mutating func add(
    name: UnsafeRawBufferPointer, inode: InodeNumber, kind: FileKind, nextPosition: UInt64
  ) -> Bool {
    encoder.add(name: name, inode: inode, kind: kind, nextPosition: nextPosition)
  }

  /// Adds an entry with its attributes, where they are wanted.
  package mutating func add(
    name: UnsafeRawBufferPointer, attributes: FileAttributes, nextPosition: UInt64
  ) -> Bool {
    encoder.add(
      name: name, attributes: attributes, validity: token.regimeValidity,
      nextPosition: nextPosition)
  }

  /// Sends what was added; nothing added means the end of the directory.
  @discardableResult
  package consuming func finish() -> Bool {
    let token = self.token
    let bytes = encoder.bytes
    discard self
    return token.sendData(bytes)
  }

  @discardableResult
  package consuming func fail(_ error: FileError) -> Bool {
    let token = self.token
    discard self
    return token.sendError(error)
  }

  /// For answering later: encode with a `DirectoryEncoder` over memory of one's own of
  /// `capacityByteCount` bytes and send its bytes with `DataReply(token)`.
  package consuming func detach() -> ReplyToken {
    let token = self.token
    discard self
    return token
  }
}
