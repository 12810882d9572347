import DiskFormat
package import IOSeams
import StorageModel

extension ReadPlan {
  /// Fills `buffer`, of exactly `byteCount` bytes, with verified bytes.
  ///
  /// Budget: whole blocks are read straight into the buffer and opened there, neighbours on disk
  /// with one read; only blocks that the range covers in part are copied.
  package func execute(
    into buffer: UnsafeMutableRawBufferPointer, journal: some JournalStore,
    segments: some SegmentStore, sealer: some BlockSealer
  ) throws(ReadFailure) {
    precondition(buffer.count == byteCount, "the buffer has the plan's byte count")
    var filled = 0
    var next = 0
    while next < pieces.count {
      let group = next..<endOfGroup(from: next)
      let range = bytesInBuffer(group)
      zero(buffer, filled..<range.lowerBound)
      try read(group, into: buffer, range, journal, segments, sealer)
      filled = range.upperBound
      next = group.upperBound
    }
    zero(buffer, filled..<byteCount)
  }

  private func zero(_ buffer: UnsafeMutableRawBufferPointer, _ range: Range<Int>) {
    guard !range.isEmpty else { return }
    UnsafeMutableRawBufferPointer(rebasing: buffer[range])
      .initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// Pieces from `start` on that follow each other in the object and on disk.
  private func endOfGroup(from start: Int) -> Int {
    var end = start + 1
    while end < pieces.count {
      let last = pieces[end - 1]
      let following = last.place.advanced(byByteCount: last.blockCount * blockSize.byteCount)
      guard pieces[end].firstBlock == last.firstBlock.advanced(by: UInt64(last.blockCount)),
        pieces[end].place == following
      else { break }
      end += 1
    }
    return end
  }

  /// Where the bytes of pieces belong, cut to the buffer.
  private func bytesInBuffer(_ group: Range<Int>) -> Range<Int> {
    let shift = UInt64(blockSize.shift)
    let last = pieces[group.upperBound - 1]
    let lower = pieces[group.lowerBound].firstBlock.rawValue << shift
    let upper = (last.firstBlock.rawValue + UInt64(last.blockCount)) << shift
    return Int(
      max(lower, offsetBytes) - offsetBytes)..<Int(
        min(upper, offsetBytes + UInt64(byteCount)) - offsetBytes)
  }

  private func read(
    _ group: Range<Int>, into buffer: UnsafeMutableRawBufferPointer, _ range: Range<Int>,
    _ journal: some JournalStore, _ segments: some SegmentStore, _ sealer: some BlockSealer
  ) throws(ReadFailure) {
    let size = blockSize.byteCount
    let start = pieces[group.lowerBound]
    let groupOffset = start.firstBlock.rawValue << UInt64(blockSize.shift)
    let source = BlockSource(volume: volume, journal: journal, segments: segments)
    // Bytes of the group before and behind what is asked for.
    let skipped = Int(offsetBytes + UInt64(range.lowerBound) - groupOffset)
    let wholeStart = (skipped + size - 1) / size
    let wholeEnd = (skipped + range.count) / size
    func bufferOffset(_ block: Int) -> Int { range.lowerBound + block * size - skipped }

    if wholeStart < wholeEnd {
      let whole = UnsafeMutableRawBufferPointer(
        rebasing: buffer[bufferOffset(wholeStart)..<bufferOffset(wholeEnd)])
      try source.read(start.place.advanced(byByteCount: wholeStart * size), into: whole)
      try open(group, wholeStart..<wholeEnd, whole, sealer)
    }
    var partial: [Int] = []
    if skipped % size != 0 { partial.append(skipped / size) }
    if (skipped + range.count) % size != 0, partial.last != wholeEnd { partial.append(wholeEnd) }
    for block in partial {
      var copy = [UInt8](repeating: 0, count: size)
      try copy.withMutableRawBytes { (bytes) throws(ReadFailure) in
        try source.read(start.place.advanced(byByteCount: block * size), into: bytes)
        try open(group, block..<block + 1, bytes, sealer)
        let lower = max(block * size, skipped)
        let upper = min((block + 1) * size, skipped + range.count)
        let target = range.lowerBound + lower - skipped
        UnsafeMutableRawBufferPointer(rebasing: buffer[target..<target + upper - lower])
          .copyMemory(
            from: UnsafeRawBufferPointer(
              rebasing: bytes[lower - block * size..<upper - block * size]))
      }
    }
  }

  /// Opens the blocks of this range, counted from the group's first, that lie in `bytes`.
  private func open(
    _ group: Range<Int>, _ blocks: Range<Int>, _ bytes: UnsafeMutableRawBufferPointer,
    _ sealer: some BlockSealer
  ) throws(ReadFailure) {
    let size = blockSize.byteCount
    let tagSize = sealer.tagByteCount
    var damaged: BlockAddress?
    tags.withUnsafeBytes { tags in
      var base = 0
      for piece in pieces[group] {
        for index in blocks.clamped(to: base..<base + piece.blockCount) {
          let inPiece = index - base
          let block = piece.firstBlock.advanced(by: UInt64(inPiece))
          let at = (index - blocks.lowerBound) * size
          let tag = piece.tagOffset + inPiece * tagSize
          let opens = sealer.open(
            UnsafeMutableRawBufferPointer(rebasing: bytes[at..<at + size]),
            nonce: piece.seal.advanced(by: inPiece).nonce,
            place: .block(object: object, block: block),
            tag: UnsafeRawBufferPointer(rebasing: tags[tag..<tag + tagSize]))
          if !opens, damaged == nil { damaged = BlockAddress(object: object, block: block) }
        }
        base += piece.blockCount
      }
    }
    if let damaged { throw .corrupt(damaged) }
  }
}

/// Reads sealed blocks from wherever they lie.
struct BlockSource<Journal: JournalStore, Segments: SegmentStore> {
  var volume: VolumeID
  var journal: Journal
  var segments: Segments

  func read(
    _ place: BlockPlace, into target: UnsafeMutableRawBufferPointer
  ) throws(ReadFailure) {
    do throws(StoreError) {
      switch place {
      case .journal(let position): try journal.read(at: position, into: target)
      case .segment(let location):
        try segments.read(into: target, volume: volume, at: location)
      case .allocated, .record:
        preconditionFailure("a plan has pieces only for stored data")
      }
    } catch { throw .store(error) }
  }
}
