internal import CRocksDB
internal import StorageModel

/// Sizes of an index.
package struct IndexConfiguration: Hashable, Sendable {
  /// Blocks of tables, their indexes and filters, kept in memory.
  package var cacheByteCount: Int
  /// Never to be filled: the journal's budget makes a checkpoint flush long before.
  package var writeBufferByteCount: Int
  package var maximumOpenFileCount: Int

  package init(
    cacheByteCount: Int = 32 << 20, writeBufferByteCount: Int = 1 << 30,
    maximumOpenFileCount: Int = 256
  ) {
    self.cacheByteCount = cacheByteCount
    self.writeBufferByteCount = writeBufferByteCount
    self.maximumOpenFileCount = maximumOpenFileCount
  }
}

/// RocksDB's options for an index; owns what they refer to.
///
/// `@unchecked Sendable`: constant after `init`.
final class RocksOptions: @unchecked Sendable {
  let handle: OpaquePointer
  let flushWithoutWaiting: OpaquePointer
  private let cache: OpaquePointer
  private let tableOptions: OpaquePointer

  /// Entries are small and written in random order of keys, read by exact key or short range.
  private static let tableBlockByteCount = 8 << 10
  /// Of the memtable's arena: a small unit keeps an idle index small.
  private static let arenaByteCount = 256 << 10
  private static let filterBitsPerKey = 10.0
  /// Levels above this one are rewritten soon and not worth compressing.
  private static let firstCompressedLevel: Int32 = 2

  init(_ configuration: IndexConfiguration) throws(StoreError) {
    guard let base = rocksdb_options_create(), let flush = rocksdb_flushoptions_create(),
      let handle = rocksdb_options_create(),
      let cache = rocksdb_cache_create_lru(configuration.cacheByteCount),
      let tableOptions = rocksdb_block_based_options_create()
    else { throw .invalid("RocksDB made no options") }
    defer { rocksdb_options_destroy(base) }
    self.handle = handle
    self.cache = cache
    self.tableOptions = tableOptions
    self.flushWithoutWaiting = flush
    rocksdb_flushoptions_set_wait(flush, 0)
    // These have no function of their own in the C interface.
    try RocksIndex.checked("set options of the index") { error in
      rocksdb_get_options_from_string(
        base, "avoid_flush_during_shutdown=true;max_bgerror_resume_count=0", handle, error)
    }
    setTables()
    setMemory(configuration)
    setQuietness()
  }

  deinit {
    rocksdb_options_destroy(handle)
    rocksdb_flushoptions_destroy(flushWithoutWaiting)
    rocksdb_block_based_options_destroy(tableOptions)
    rocksdb_cache_destroy(cache)
  }

  private func setTables() {
    rocksdb_block_based_options_set_block_size(tableOptions, Self.tableBlockByteCount)
    rocksdb_block_based_options_set_block_cache(tableOptions, cache)
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(tableOptions, 1)
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(
      tableOptions, 1)
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(tableOptions, 1)
    rocksdb_block_based_options_set_whole_key_filtering(tableOptions, 1)
    rocksdb_block_based_options_set_format_version(tableOptions, 5)
    // The table options own the policy from here on.
    rocksdb_block_based_options_set_filter_policy(
      tableOptions, rocksdb_filterpolicy_create_bloom_full(Self.filterBitsPerKey))
    rocksdb_options_set_block_based_table_factory(handle, tableOptions)
    rocksdb_options_set_compression(handle, Int32(rocksdb_lz4_compression))
    rocksdb_options_set_min_level_to_compress(handle, Self.firstCompressedLevel)
  }

  private func setMemory(_ configuration: IndexConfiguration) {
    rocksdb_options_set_create_if_missing(handle, 1)
    rocksdb_options_set_paranoid_checks(handle, 1)
    rocksdb_options_set_write_buffer_size(handle, configuration.writeBufferByteCount)
    rocksdb_options_set_arena_block_size(handle, Self.arenaByteCount)
    rocksdb_options_set_max_write_buffer_number(handle, 4)
    rocksdb_options_set_max_open_files(handle, Int32(configuration.maximumOpenFileCount))
    rocksdb_options_set_level_compaction_dynamic_level_bytes(handle, 1)
    // A checkpoint must not wait for compactions that lag behind.
    rocksdb_options_set_level0_slowdown_writes_trigger(handle, 40)
    rocksdb_options_set_level0_stop_writes_trigger(handle, 80)
    rocksdb_options_set_max_background_jobs(handle, 2)
    rocksdb_options_set_bytes_per_sync(handle, 1 << 20)
  }

  /// No timers, and a log that stays small.
  private func setQuietness() {
    rocksdb_options_set_stats_dump_period_sec(handle, 0)
    rocksdb_options_set_stats_persist_period_sec(handle, 0)
    rocksdb_options_set_skip_stats_update_on_db_open(handle, 1)
    rocksdb_options_set_info_log_level(handle, 2)  // WARN_LEVEL
    rocksdb_options_set_keep_log_file_num(handle, 2)
    rocksdb_options_set_max_log_file_size(handle, 1 << 20)
    rocksdb_options_set_manifest_preallocation_size(handle, 64 << 10)
  }
}
