internal import CFuse3
package import StorageModel

// Each reply is used up by answering; what all have in common is in `ReplyToken`. The Boolean
// that an answer returns tells whether the kernel took it: false means that the caller was
// interrupted or the mount is gone, and then a reference or handle in it was not counted.

/// Answers lookup, mknod, mkdir, symlink and link.
package struct EntryReply: ~Copyable, Sendable {
  private let token: ReplyToken

  /// Takes up a reply that was detached.
  package init(_ token: ReplyToken) { self.token = token }

  deinit { token.abandon() }

  /// The kernel counts one reference to the inode. `validity` nil: the regime's.
  @discardableResult
  package consuming func entry(
    _ attributes: FileAttributes, validity: CacheValidity? = nil
  ) -> Bool {
    let token = self.token
    discard self
    return token.sendEntry(attributes, validity: validity)
  }

  /// No such name: the kernel may remember that for as long as the regime allows.
  @discardableResult
  package consuming func absent() -> Bool {
    let token = self.token
    discard self
    return token.sendAbsence()
  }

  @discardableResult
  package consuming func fail(_ error: FileError) -> Bool {
    let token = self.token
    discard self
    return token.sendError(error)
  }

  /// Lets the reply outlive the request's method; take it up with `EntryReply(token)`, once.
  package consuming func detach() -> ReplyToken {
    let token = self.token
    discard self
    return token
  }
}

/// Answers getattr and setattr.
package struct AttributesReply: ~Copyable, Sendable {
  private let token: ReplyToken

  package init(_ token: ReplyToken) { self.token = token }

  deinit { token.abandon() }

  @discardableResult
  package consuming func attributes(
    _ attributes: FileAttributes, validity: CacheValidity? = nil
  ) -> Bool {
    let token = self.token
    discard self
    return token.sendAttributes(attributes, validity: validity)
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

/// Answers read and readlink.
package struct DataReply: ~Copyable, Sendable {
  private let token: ReplyToken

  package init(_ token: ReplyToken) { self.token = token }

  deinit { token.abandon() }

  /// The bytes are copied to the kernel before this returns.
  @discardableResult
  package consuming func data(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let token = self.token
    discard self
    return token.sendData(bytes)
  }

  @discardableResult
  package consuming func data(_ bytes: [UInt8]) -> Bool {
    let token = self.token
    discard self
    return bytes.withUnsafeBytes { token.sendData($0) }
  }

  /// The pieces make up the data, in order; at most `ReplyToken.maximumPieceCount`.
  @discardableResult
  package consuming func data(_ pieces: [UnsafeRawBufferPointer]) -> Bool {
    let token = self.token
    discard self
    return token.sendData(pieces)
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

/// Answers write and copy_file_range.
package struct WriteReply: ~Copyable, Sendable {
  private let token: ReplyToken

  package init(_ token: ReplyToken) { self.token = token }

  deinit { token.abandon() }

  @discardableResult
  package consuming func written(byteCount: Int) -> Bool {
    let token = self.token
    discard self
    return token.sendWritten(byteCount: byteCount)
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

/// Answers open and opendir.
package struct OpenReply: ~Copyable, Sendable {
  private let token: ReplyToken
  private let isDirectory: Bool

  package init(_ token: ReplyToken, isDirectory: Bool = false) {
    self.token = token
    self.isDirectory = isDirectory
  }

  deinit { token.abandon() }

  /// False: the opener is gone, and no release will come. `options` nil: the regime's.
  @discardableResult
  package consuming func opened(_ handle: FileHandle, options: OpenOptions? = nil) -> Bool {
    let (token, isDirectory) = (self.token, self.isDirectory)
    discard self
    return token.sendOpened(handle, options: options, isDirectory: isDirectory)
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

/// Answers create and O_TMPFILE.
package struct CreateReply: ~Copyable, Sendable {
  private let token: ReplyToken

  package init(_ token: ReplyToken) { self.token = token }

  deinit { token.abandon() }

  /// As `EntryReply.entry` and `OpenReply.opened` together.
  @discardableResult
  package consuming func created(
    _ attributes: FileAttributes, handle: FileHandle, validity: CacheValidity? = nil,
    options: OpenOptions? = nil
  ) -> Bool {
    let token = self.token
    discard self
    return token.sendCreated(attributes, handle: handle, validity: validity, options: options)
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

/// Answers requests whose answer is only that they were done.
package struct EmptyReply: ~Copyable, Sendable {
  private let token: ReplyToken

  package init(_ token: ReplyToken) { self.token = token }

  deinit { token.abandon() }

  @discardableResult
  package consuming func done() -> Bool {
    let token = self.token
    discard self
    return token.sendDone()
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
