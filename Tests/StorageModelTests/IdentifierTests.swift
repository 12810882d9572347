import StorageModel
import Testing

struct IdentifierTests {
  @Test func `numbers that only rise come after those before them`() {
    #expect(LSN.zero < LSN.zero.next)
    #expect(LSN.zero.next == LSN(1))
    #expect(Epoch.first < Epoch.first.next)
    #expect(Incarnation(1).next == Incarnation(2))
    #expect(Generation.first < Generation(2))
  }

  @Test func `numbers print as numbers`() {
    #expect("\(LSN(7)) \(Epoch(8)) \(BlockNumber(9)) \(JournalPosition(10))" == "7 8 9 10")
  }

  @Test func `a journal position moves by bytes`() {
    #expect(JournalPosition.zero.advanced(byByteCount: 4096) == JournalPosition(4096))
  }

  @Test func `a file's data is the object of its inode's number, 0 the device's`() {
    #expect(InodeNumber.root.object == ObjectNumber(1))
    #expect(InodeNumber(17).object == ObjectNumber(17))
    #expect(ObjectNumber.device == ObjectNumber(0))
  }

  @Test(
    arguments: [
      ([], [0]), ([0], [0, 0]), ([0, 255], [1]), ([1], [2]), ([127], [128]),
    ] as [([UInt8], [UInt8])])
  func `keys are ordered byte by byte`(lesser: [UInt8], greater: [UInt8]) {
    #expect(StoreKey(lesser) < StoreKey(greater))
    #expect(!(StoreKey(greater) < StoreKey(lesser)))
    #expect(!(StoreKey(lesser) < StoreKey(lesser)))
  }

  @Test func `a transaction keeps its changes in order`() {
    var transaction = Transaction()
    transaction.put(StoreKey([1]), [2])
    transaction.delete(StoreKey([3]))
    let kinds = transaction.mutations.map { mutation in
      switch mutation {
      case .put(let key, let value): "put \(key.bytes) \(value)"
      case .delete(let key): "delete \(key.bytes)"
      default: "other"
      }
    }
    #expect(kinds == ["put [1] [2]", "delete [3]"])
  }
}
