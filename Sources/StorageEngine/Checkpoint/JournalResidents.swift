import DiskFormat
import StorageModel

/// Blocks whose only copy lay in the journal when they were written.
struct JournalResident: Hashable {
  var range: BlockRange
  /// Of the first block's sealed bytes.
  var position: JournalPosition
}

/// The blocks that must leave the journal before it can be trimmed. Bounded by the journal: each
/// stands for at least a block of it.
struct JournalResidents: Sendable {
  /// In the order of the journal.
  private var waiting: [JournalResident] = []
  /// Taken for the checkpoint in progress: by object and block, the next one last.
  private var queue: [JournalResident] = []
  /// Part of a plan that is being carried out.
  private var moving: [JournalResident] = []

  mutating func append(_ resident: JournalResident) { waiting.append(resident) }

  /// The earliest position that is still needed.
  var floor: JournalPosition? {
    let others = (queue + moving).map(\.position).min()
    guard let first = waiting.first?.position else { return others }
    return others.map { min($0, first) } ?? first
  }

  var count: Int { waiting.count + queue.count + moving.count }

  /// The next resident before `position` in the order of objects and blocks.
  mutating func takeNext(before position: JournalPosition) -> JournalResident? {
    if queue.isEmpty {
      let split = waiting.firstIndex { $0.position >= position } ?? waiting.count
      guard split > 0 else { return nil }
      queue = waiting[..<split].sorted {
        ($1.range.object, $1.range.firstBlock, $1.position)
          < ($0.range.object, $0.range.firstBlock, $0.position)
      }
      waiting.removeFirst(split)
    }
    guard let next = queue.popLast() else { return nil }
    moving.append(next)
    return next
  }

  /// The plan in progress was applied.
  mutating func finishMoving() { moving = [] }

  /// The plan in progress failed: its residents are tried again.
  mutating func cancelMoving() {
    queue += moving.reversed()
    moving = []
  }
}
