package import StorageModel

/// With what a block or value was sealed: the stored half of `SealNonce`.
package struct SealStamp: Hashable, Sendable {
  package var epoch: Epoch
  package var incarnation: Incarnation
  package var lsn: LSN
  /// Of the first block, in a run; each following block adds one.
  package var position: UInt32

  package init(epoch: Epoch, incarnation: Incarnation, lsn: LSN, position: UInt32) {
    self.epoch = epoch
    self.incarnation = incarnation
    self.lsn = lsn
    self.position = position
  }

  /// The stamp of the block `count` further on in the same run.
  package func advanced(by count: Int) -> SealStamp {
    var stamp = self
    stamp.position &+= UInt32(truncatingIfNeeded: count)
    return stamp
  }
}
