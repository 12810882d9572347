internal import CFuse3
internal import Glibc
internal import StorageModel

/// The duty to answer one request, detached from its reply: must be taken up exactly once.
///
/// @unchecked: libfuse's request is only touched by the one who answers, libfuse locks its own
/// lists, and the session lives until no answer is outstanding.
package struct ReplyToken: @unchecked Sendable {
  /// Who decoded the request, and so who encodes the answer.
  enum Origin {
    case library(fuse_req_t)
    /// A request that libfuse does not know: its `unique`.
    case device(unique: UInt64)
  }

  /// Most pieces of one data reply.
  package static let maximumPieceCount = 1022

  private let origin: Origin
  private let session: Unmanaged<SessionState>

  init(_ origin: Origin, session: SessionState) {
    self.origin = origin
    self.session = Unmanaged.passUnretained(session)
    session.requestBegan()
  }

  var regimeValidity: CacheValidity { session._withUnsafeGuaranteedRef { $0.validity } }

  /// Answers a request that its handler dropped.
  func abandon() { sendError(.inputOutput) }

  @discardableResult
  func sendError(_ error: FileError) -> Bool { sendStatus(error.rawValue) }

  func sendDone() -> Bool { sendStatus(0) }

  func sendEntry(_ attributes: FileAttributes, validity: CacheValidity?) -> Bool {
    var entry = entryParameters(attributes, validity ?? regimeValidity)
    return send { fuse_reply_entry($0, &entry) }
  }

  func sendAbsence() -> Bool {
    let validity = regimeValidity
    guard validity.entrySeconds > 0 else { return sendError(.noEntry) }
    var entry = fuse_entry_param()
    entry.entry_timeout = Double(validity.entrySeconds)
    return send { fuse_reply_entry($0, &entry) }
  }

  func sendAttributes(_ attributes: FileAttributes, validity: CacheValidity?) -> Bool {
    var status = stat(attributes)
    let seconds = Double((validity ?? regimeValidity).attributeSeconds)
    return send { fuse_reply_attr($0, &status, seconds) }
  }

  func sendOpened(_ handle: FileHandle, options: OpenOptions?, isDirectory: Bool) -> Bool {
    var information = fileInformation(handle, options, isDirectory: isDirectory)
    return send { fuse_reply_open($0, &information) }
  }

  func sendCreated(
    _ attributes: FileAttributes, handle: FileHandle, validity: CacheValidity?,
    options: OpenOptions?
  ) -> Bool {
    if case .device(let unique) = origin {
      return sendCreatedToDevice(
        unique, attributes, handle, validity ?? regimeValidity, options ?? defaultOpenOptions)
    }
    var entry = entryParameters(attributes, validity ?? regimeValidity)
    var information = fileInformation(handle, options, isDirectory: false)
    return send { fuse_reply_create($0, &entry, &information) }
  }

  func sendWritten(byteCount: Int) -> Bool { send { fuse_reply_write($0, byteCount) } }

  func sendData(_ bytes: UnsafeRawBufferPointer) -> Bool {
    send {
      fuse_reply_buf($0, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
  }

  func sendData(_ pieces: [UnsafeRawBufferPointer]) -> Bool {
    guard pieces.count <= Self.maximumPieceCount else { return sendError(.inputOutput) }
    return withUnsafeTemporaryAllocation(of: iovec.self, capacity: max(1, pieces.count)) { vector in
      for (index, piece) in pieces.enumerated() {
        vector.initializeElement(
          at: index,
          to: iovec(
            iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress), iov_len: piece.count))
      }
      return send { fuse_reply_iov($0, vector.baseAddress, Int32(pieces.count)) }
    }
  }

  func sendSize(byteCount: Int) -> Bool { send { fuse_reply_xattr($0, byteCount) } }

  func sendSeek(offsetBytes: UInt64) -> Bool {
    send { fuse_reply_lseek($0, off_t(truncatingIfNeeded: offsetBytes)) }
  }

  func sendStatistics(_ statistics: FileSystemStatistics) -> Bool {
    var status = statvfs()
    status.f_bsize = UInt(statistics.blockByteCount)
    status.f_frsize = UInt(statistics.blockByteCount)
    status.f_blocks = fsblkcnt_t(statistics.totalBlocks)
    status.f_bfree = fsblkcnt_t(statistics.freeBlocks)
    status.f_bavail = fsblkcnt_t(statistics.freeBlocks)
    status.f_files = fsfilcnt_t(statistics.totalInodes)
    status.f_ffree = fsfilcnt_t(statistics.freeInodes)
    status.f_favail = fsfilcnt_t(statistics.freeInodes)
    status.f_namemax = UInt(statistics.maximumNameByteCount)
    return send { fuse_reply_statfs($0, &status) }
  }
}

extension ReplyToken {
  private var defaultOpenOptions: OpenOptions {
    session._withUnsafeGuaranteedRef { $0.configuration.fileOpenOptions }
  }

  /// Sends through libfuse; a request that it does not know has only the answers above.
  private func send(_ reply: (fuse_req_t) -> Int32) -> Bool {
    defer { session._withUnsafeGuaranteedRef { $0.requestEnded() } }
    switch origin {
    case .library(let request): return reply(request) == 0
    case .device(let unique): return sendToDevice(unique, error: EIO, payload: nil)
    }
  }

  private func sendStatus(_ errorNumber: Int32) -> Bool {
    defer { session._withUnsafeGuaranteedRef { $0.requestEnded() } }
    switch origin {
    case .library(let request): return fuse_reply_err(request, errorNumber) == 0
    case .device(let unique): return sendToDevice(unique, error: errorNumber, payload: nil)
    }
  }

  private func sendCreatedToDevice(
    _ unique: UInt64, _ attributes: FileAttributes, _ handle: FileHandle,
    _ validity: CacheValidity, _ options: OpenOptions
  ) -> Bool {
    defer { session._withUnsafeGuaranteedRef { $0.requestEnded() } }
    let openByteCount = 16
    return withUnsafeTemporaryAllocation(
      byteCount: EntryLayout.entryByteCount + openByteCount, alignment: 8
    ) { payload in
      EntryLayout.write(attributes, validity: validity, to: payload, at: 0)
      let place = EntryLayout.entryByteCount
      payload.storeBytes(of: handle.rawValue, toByteOffset: place, as: UInt64.self)
      payload.storeBytes(of: options.kernelFlags, toByteOffset: place + 8, as: UInt32.self)
      payload.storeBytes(of: 0, toByteOffset: place + 12, as: UInt32.self)
      return sendToDevice(unique, error: 0, payload: UnsafeRawBufferPointer(payload))
    }
  }

  private func sendToDevice(
    _ unique: UInt64, error: Int32, payload: UnsafeRawBufferPointer?
  ) -> Bool {
    session._withUnsafeGuaranteedRef { $0.device }
      .send(unique: unique, error: -error, payload: payload)
  }

  private func entryParameters(
    _ attributes: FileAttributes, _ validity: CacheValidity
  ) -> fuse_entry_param {
    fuse_entry_param(
      ino: attributes.inode.rawValue, generation: 0, attr: stat(attributes),
      attr_timeout: Double(validity.attributeSeconds),
      entry_timeout: Double(validity.entrySeconds))
  }

  private func fileInformation(
    _ handle: FileHandle, _ options: OpenOptions?, isDirectory: Bool
  ) -> fuse_file_info {
    let configuration = session._withUnsafeGuaranteedRef { $0.configuration }
    let options =
      options
      ?? (isDirectory ? configuration.directoryOpenOptions : configuration.fileOpenOptions)
    var information = fuse_file_info()
    information.fh = handle.rawValue
    information.keep_cache = options.contains(.keepCache) ? 1 : 0
    information.direct_io = options.contains(.directIO) ? 1 : 0
    information.cache_readdir = options.contains(.cacheDirectory) ? 1 : 0
    information.noflush = options.contains(.noFlush) ? 1 : 0
    return information
  }
}

extension OpenOptions {
  /// As `open_flags` of `struct fuse_open_out` (linux/fuse.h, `FOPEN_*`).
  fileprivate var kernelFlags: UInt32 {
    (contains(.directIO) ? 1 : 0) | (contains(.keepCache) ? 2 : 0)
      | (contains(.cacheDirectory) ? 8 : 0) | (contains(.noFlush) ? 32 : 0)
  }
}

extension stat {
  init(_ attributes: FileAttributes) {
    self.init()
    st_ino = ino_t(attributes.inode.rawValue)
    st_mode = mode_t(attributes.kind.rawValue | attributes.permissions & 0o7777)
    st_nlink = nlink_t(attributes.linkCount)
    st_uid = attributes.userID
    st_gid = attributes.groupID
    st_rdev = dev_t(attributes.device)
    st_size = off_t(truncatingIfNeeded: attributes.sizeBytes)
    st_blksize = blksize_t(attributes.blockByteCount)
    st_blocks = blkcnt_t(truncatingIfNeeded: (attributes.allocatedBytes + 511) / 512)
    st_atim = timespec(attributes.accessed)
    st_mtim = timespec(attributes.modified)
    st_ctim = timespec(attributes.changed)
  }
}

extension timespec {
  fileprivate init(_ timestamp: Timestamp) {
    self.init(tv_sec: Int(timestamp.seconds), tv_nsec: Int(timestamp.nanoseconds))
  }
}
