internal import CRocksDB
package import IOSeams
package import StorageModel
internal import Synchronization

/// A pool's index in RocksDB, without RocksDB's own log: the pool's journal is the log.
///
/// What is written stays in memory until `beginFlush`, which makes exactly the batches written
/// before it durable as a whole, later ones not. RocksDB never flushes on its own: the write
/// buffer is larger than the journal's budget allows to fill, and closing does not flush.
///
/// `@unchecked Sendable`: RocksDB's handle and its constant options may be used from all threads;
/// `isClosed` is atomic, and `close` is called when nobody else calls any more.
package final class RocksIndex: IndexStore, @unchecked Sendable {
  private let database: OpaquePointer
  private let options: RocksOptions
  private let writeOptions: OpaquePointer
  private let readOptions: OpaquePointer
  private let idleBatches = Mutex<[IdleBatch]>([])
  private let unflushedByteCount = Atomic<Int>(0)
  private let isClosed = Atomic(false)

  /// A RocksDB batch at rest. `@unchecked Sendable`: one thread at a time has it.
  private struct IdleBatch: @unchecked Sendable { let handle: OpaquePointer }

  private static let maximumIdleBatchCount = 8
  /// Bytes of memory that a memtable's entry takes beside its key and value, roughly.
  private static let entryOverheadByteCount = 48

  /// Opens the index in `directory`, or makes it.
  ///
  /// - Throws: `.corrupt` if RocksDB finds its files damaged, `.io` if it cannot use them.
  package init(
    directory: String, configuration: IndexConfiguration = IndexConfiguration()
  ) throws(StoreError) {
    let options = try RocksOptions(configuration)
    let database = try Self.checked("open the index in \(directory)") { error in
      rocksdb_open(options.handle, directory, error)
    }
    guard let database, let writeOptions = rocksdb_writeoptions_create(),
      let readOptions = rocksdb_readoptions_create()
    else { throw .invalid("RocksDB opened nothing in \(directory)") }
    rocksdb_writeoptions_disable_WAL(writeOptions, 1)
    rocksdb_readoptions_set_verify_checksums(readOptions, 1)
    self.options = options
    self.database = database
    self.writeOptions = writeOptions
    self.readOptions = readOptions
  }

  deinit { close() }

  /// Closes the database. What was not flushed is dropped: the journal has it.
  package func close() {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    for batch in idleBatches.withLock({ $0 }) { rocksdb_writebatch_destroy(batch.handle) }
    rocksdb_close(database)
    rocksdb_writeoptions_destroy(writeOptions)
    rocksdb_readoptions_destroy(readOptions)
  }

  package func value(for key: [UInt8]) throws(StoreError) -> [UInt8]? {
    let slice = try key.withBytes { (key) throws(StoreError) in
      try Self.checked("read the index") { error in
        rocksdb_get_pinned(
          database, readOptions, Self.characters(key), key.count, error)
      }
    }
    guard let slice else { return nil }
    defer { rocksdb_pinnableslice_destroy(slice) }
    var count = 0
    let bytes = rocksdb_pinnableslice_value(slice, &count)
    return Array(UnsafeRawBufferPointer(start: bytes, count: count))
  }

  package func scan(
    from lower: [UInt8], to upper: [UInt8],
    _ visit: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
  ) throws(StoreError) {
    guard lower.lexicographicallyPrecedes(upper) else { return }
    guard let options = rocksdb_readoptions_create() else { return }
    defer { rocksdb_readoptions_destroy(options) }
    rocksdb_readoptions_set_verify_checksums(options, 1)
    // RocksDB keeps a pointer to the bound: it has to stay until the iterator is gone.
    try upper.withBytes { (bound) throws(StoreError) in
      rocksdb_readoptions_set_iterate_upper_bound(options, Self.characters(bound), bound.count)
      guard let iterator = rocksdb_create_iterator(database, options) else { return }
      defer { rocksdb_iter_destroy(iterator) }
      lower.withUnsafeBytes {
        rocksdb_iter_seek(iterator, Self.characters($0), $0.count)
      }
      while rocksdb_iter_valid(iterator) != 0 {
        var keyCount = 0
        var valueCount = 0
        let key = rocksdb_iter_key(iterator, &keyCount)
        let value = rocksdb_iter_value(iterator, &valueCount)
        guard
          visit(
            UnsafeRawBufferPointer(start: key, count: keyCount),
            UnsafeRawBufferPointer(start: value, count: valueCount))
        else { return }
        rocksdb_iter_next(iterator)
      }
      try Self.checked("scan the index") { error in rocksdb_iter_get_error(iterator, error) }
    }
  }

  package func write(_ batch: IndexBatch) throws(StoreError) {
    guard !batch.changes.isEmpty else { return }
    guard let handle = idleBatches.withLock({ $0.popLast() })?.handle ?? rocksdb_writebatch_create()
    else { throw .invalid("RocksDB made no batch") }
    defer { rest(handle) }
    var byteCount = 0
    for change in batch.changes { byteCount += Self.add(change, to: handle) }
    try Self.checked("write to the index") { error in
      rocksdb_write(database, writeOptions, handle, error)
    }
    unflushedByteCount.add(byteCount, ordering: .relaxed)
  }

  /// Bytes, roughly, that were written since the last `beginFlush`.
  package var memtableByteCount: Int { unflushedByteCount.load(ordering: .relaxed) }

  /// Ends the current memtable, so that what was written before will become durable as a whole,
  /// and starts writing it out. Call with commits held; return is quick.
  package func beginFlush() throws(StoreError) {
    unflushedByteCount.store(0, ordering: .relaxed)
    try Self.checked("flush the index") { error in
      rocksdb_flush(database, options.flushWithoutWaiting, error)
    }
  }

  /// Returns once everything written before the last `beginFlush` is on stable storage.
  ///
  /// Polls, since asking RocksDB to wait would flush what was written since.
  package func waitFlushed() throws(StoreError) {
    while try number("rocksdb.num-immutable-mem-table") > 0 {
      guard try number("rocksdb.background-errors") == 0 else {
        throw .readOnly("the index could not be written; its LOG file says why")
      }
      IndexPause.wait()
    }
  }

  /// A number among RocksDB's properties.
  private func number(_ property: String) throws(StoreError) -> UInt64 {
    var value: UInt64 = 0
    guard rocksdb_property_int(database, property, &value) == 0 else {
      throw .invalid("RocksDB does not know its property \(property)")
    }
    return value
  }

  private func rest(_ handle: OpaquePointer) {
    rocksdb_writebatch_clear(handle)
    let isKept = idleBatches.withLock { idle in
      guard idle.count < Self.maximumIdleBatchCount else { return false }
      idle.append(IdleBatch(handle: handle))
      return true
    }
    if !isKept { rocksdb_writebatch_destroy(handle) }
  }

  /// Returns the bytes that the change will take in memory.
  private static func add(_ change: IndexBatch.Change, to handle: OpaquePointer) -> Int {
    switch change {
    case .put(let key, let value):
      key.withUnsafeBytes { key in
        value.withUnsafeBytes { value in
          rocksdb_writebatch_put(
            handle, characters(key), key.count, characters(value), value.count)
        }
      }
      return key.count + value.count + entryOverheadByteCount
    case .delete(let key):
      key.withUnsafeBytes { rocksdb_writebatch_delete(handle, characters($0), $0.count) }
      return key.count + entryOverheadByteCount
    case .deleteRange(let lower, let upper):
      lower.withUnsafeBytes { lower in
        upper.withUnsafeBytes { upper in
          rocksdb_writebatch_delete_range(
            handle, characters(lower), lower.count, characters(upper), upper.count)
        }
      }
      return lower.count + upper.count + entryOverheadByteCount
    }
  }

  private static func characters(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<CChar>? {
    bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
  }
}
