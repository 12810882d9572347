import IOSeams
import StorageModel

/// The store's calls with the file system's error type.
extension VolumeStore {
  func read(_ key: StoreKey) throws(FileSystemFailure) -> [UInt8]? {
    do { return try value(for: key) } catch { throw .store(error) }
  }

  func visit(
    _ range: Keys.Range, _ visit: (_ key: StoreKey, _ value: [UInt8]) -> Bool
  ) throws(FileSystemFailure) {
    do { try scan(from: range.lower, to: range.upper, visit) } catch { throw .store(error) }
  }

  func occupied(_ object: ObjectNumber, _ blocks: Range<UInt64>) throws(FileSystemFailure) -> UInt64
  {
    do { return try occupiedBlocks(of: object, in: blocks) } catch { throw .store(error) }
  }

  mutating func record(_ transaction: Transaction) throws(FileSystemFailure) -> CommitReceipt {
    do { return try commit(transaction) } catch { throw .store(error) }
  }
}
