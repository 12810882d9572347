/// For how long the kernel may trust what an answer said, in whole seconds.
package struct CacheValidity: Hashable, Sendable {
  package var entrySeconds: UInt64
  package var attributeSeconds: UInt64

  package static let none = CacheValidity(entrySeconds: 0, attributeSeconds: 0)
  /// One day: longer than any cache lives, short enough for the kernel's arithmetic.
  package static let long = CacheValidity(entrySeconds: 86_400, attributeSeconds: 86_400)

  package init(entrySeconds: UInt64, attributeSeconds: UInt64) {
    self.entrySeconds = entrySeconds
    self.attributeSeconds = attributeSeconds
  }
}

/// What an open tells the kernel of the file's cache.
package struct OpenOptions: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Pages cached by earlier opens stay valid.
  package static let keepCache = OpenOptions(rawValue: 1)
  /// Reads and writes bypass the page cache.
  package static let directIO = OpenOptions(rawValue: 2)
  /// The kernel may cache the listing of an open directory.
  package static let cacheDirectory = OpenOptions(rawValue: 4)
  /// Closing sends no flush (write-through only).
  package static let noFlush = OpenOptions(rawValue: 8)
}

/// Who else may change the volume while the kernel caches it.
package enum CachingRegime: String, Hashable, Sendable {
  /// Nobody: write-back cache, long validity, absent names remembered, pages kept across opens.
  case exclusive
  /// Others: write-through, nothing trusted without asking.
  case shared
}

/// How a file system is mounted and served.
package struct SessionConfiguration: Hashable, Sendable {
  package var regime: CachingRegime
  package var isReadOnly: Bool
  /// Bits of mount(2)'s flags beside read-only: MS_NOSUID, MS_NODEV, MS_NOATIME, …
  package var mountFlags: UInt
  /// What mount tables show as device.
  package var sourceName: String
  /// The part behind `fuse.` in the type that mount tables show.
  package var subtype: String
  /// Threads that read requests, 1 … 64.
  package var readerThreadCount: Int
  /// Named in thread names, up to 8 bytes are shown.
  package var label: String
  /// Files and directories are opened by the kernel alone: `open`, `openDirectory` and their
  /// releases are never sent, handles are 0 (creates still carry one; its release may or may not come).
  package var opensAreStateless: Bool
  /// The handler invalidates explicitly what others changed, so the kernel need not compare
  /// modification times (shared regime).
  package var invalidatesExplicitly: Bool
  /// How long one reader looks for the next request before it sleeps; nil: not at all.
  package var pollingTime: Duration?

  package init(
    regime: CachingRegime, isReadOnly: Bool = false, mountFlags: UInt = 0,
    sourceName: String = "galleonfs", subtype: String = "galleonfs", readerThreadCount: Int = 2,
    label: String = "fs", opensAreStateless: Bool = false, invalidatesExplicitly: Bool = false,
    pollingTime: Duration? = .microseconds(50)
  ) {
    self.regime = regime
    self.isReadOnly = isReadOnly
    self.mountFlags = mountFlags
    self.sourceName = sourceName
    self.subtype = subtype
    self.readerThreadCount = readerThreadCount
    self.label = label
    self.opensAreStateless = opensAreStateless
    self.invalidatesExplicitly = invalidatesExplicitly
    self.pollingTime = pollingTime
  }

  /// The most data bytes of one read or write request.
  package static let maximumTransferByteCount = 1 << 20

  var validity: CacheValidity { regime == .exclusive ? .long : .none }

  var fileOpenOptions: OpenOptions {
    regime == .exclusive ? [.keepCache] : invalidatesExplicitly ? [.keepCache, .noFlush] : .noFlush
  }

  var directoryOpenOptions: OpenOptions {
    regime == .exclusive ? [.keepCache, .cacheDirectory] : []
  }
}

/// Why a session could not be started or ended.
package struct FUSEError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried: `mount the file system`.
  package let operation: String
  package let path: String
  package let errorNumber: Int32
  /// What to do about it; empty where the cause says it.
  package let advice: String

  package init(operation: String, path: String, errorNumber: Int32, advice: String = "") {
    self.operation = operation
    self.path = path
    self.errorNumber = errorNumber
    self.advice = advice
  }
}
