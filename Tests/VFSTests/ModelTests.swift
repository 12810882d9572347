import Glibc
import IOSeams
import StorageModel
import Testing

@testable import VFS

/// Random operations against a model that is too simple to be wrong.
@Suite struct ModelTests {
  /// Like fsx: one file against an array of bytes.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `a file's bytes, size and blocks equal the model's`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var volume = try Volume(MemoryStore(capacityBlocks: 1000))
    let file = try volume.create("a")
    var model = DataModel()
    for step in 0..<1500 {
      try model.step(&volume, file, &random)
      if step % 10 == 0 || step < 20 {
        let found = try volume.read(file)
        guard isEqual(found, model.bytes) else {
          Issue.record("seed \(seed), step \(step): the bytes differ")
          return
        }
      }
      let attributes = try volume.attributes(file)
      #expect(attributes.sizeBytes == UInt64(model.bytes.count), "seed \(seed), step \(step)")
      #expect(
        attributes.allocatedBytes == UInt64(model.occupied.count) * 4096,
        "seed \(seed), step \(step)")
      if random.next() % 50 == 0 { try volume.reload() }
      if random.next() % 20 == 0 { try volume.reclaimAll() }
      if !volume.system.hasReclaimableSpace {
        #expect(
          volume.store.usedBlocks == UInt64(model.occupied.count), "seed \(seed), step \(step)")
      }
    }
    try volume.unlink("a")
    try volume.reclaimAll()
    #expect(volume.store.usedBlocks == 0 && volume.store.keys.count == 2)
  }

  /// Names, links and directories against a tree of dictionaries.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `names, links and counters equal the model's`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var store = MemoryStore()
    store.hashBitCount = seed % 2 == 0 ? 64 : 2
    var volume = try Volume(store)
    var model = NamespaceModel()
    for step in 0..<2500 {
      try model.step(&volume, &random, "seed \(seed), step \(step)")
      if random.next() % 40 == 0 {
        try volume.reload()
        try volume.reclaimAll()
        model.loseOpenFiles()
      }
      if step % 250 == 0 { try model.compare(&volume, "seed \(seed), step \(step)") }
    }
    try model.compare(&volume, "seed \(seed), at the end")
    try model.removeAll(&volume)
    #expect(volume.store.usedBlocks == 0)
    #expect(volume.system.counters.files == 0 && volume.system.counters.directories == 1)
    #expect(Set(volume.store.keys.keys) == [Keys.counters, Keys.inode(.root)])
    let root = try volume.attributes(.root)
    #expect(root.linkCount == 2)
  }
}

/// As `==`, but fast without optimisation too.
private func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && memcmp(left, right, left.count) == 0
}

/// One file: its bytes, and which of its blocks are charged.
private struct DataModel {
  var bytes: [UInt8] = []
  var occupied: Set<Int> = []

  private static let bound = 700 * 4096

  mutating func step(
    _ volume: inout Volume, _ file: InodeNumber, _ random: inout SeededGenerator
  ) throws {
    // Small files and small steps meet more edges; some are large enough for `reclaim`.
    let scale = [5000, 20_000, 20_000, Self.bound].randomElement(using: &random) ?? 0
    var offset = Int.random(in: 0..<scale, using: &random)
    var count = Int.random(in: 1...max(1, min(scale, 300_000)), using: &random)
    if Bool.random(using: &random) { offset &= ~4095 }
    if Bool.random(using: &random) { count = max(4096, count & ~4095) }
    switch random.next() % 8 {
    case 0...2:
      let content = [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()) | 1, count: count)
      try volume.write(content, to: file, at: UInt64(offset))
      grow(to: offset + count)
      content.withUnsafeBytes { bytes.overwrite(from: offset, with: $0) }
      occupy(offset, count)
    case 3:
      try volume.truncate(file, to: UInt64(offset))
      if offset <= bytes.count {
        bytes.removeSubrange(offset...)
      } else {
        grow(to: offset)
        // A file that only grows keeps what is allocated behind its end.
        return
      }
      occupied = occupied.filter { $0 < (offset + 4095) / 4096 }
    case 4:
      try volume.allocate([.punchHole, .keepSize], file, at: UInt64(offset), count: UInt64(count))
      clear(offset, count)
      occupied = occupied.filter { $0 * 4096 < offset || ($0 + 1) * 4096 > offset + count }
    case 5:
      let keeps = Bool.random(using: &random)
      try volume.allocate(
        keeps ? [.zeroRange, .keepSize] : .zeroRange, file, at: UInt64(offset),
        count: UInt64(count))
      if !keeps { grow(to: offset + count) }
      clear(offset, count)
      occupy(offset, count)
    default:
      let keeps = Bool.random(using: &random)
      try volume.allocate(
        keeps ? .keepSize : [], file, at: UInt64(offset), count: UInt64(count))
      if !keeps { grow(to: offset + count) }
      occupy(offset, count)
    }
  }

  private mutating func grow(to size: Int) {
    if size > bytes.count { bytes += [UInt8](repeating: 0, count: size - bytes.count) }
  }

  private mutating func clear(_ offset: Int, _ count: Int) {
    let end = min(offset + count, bytes.count)
    guard offset < end else { return }
    bytes.clear(offset..<end)
  }

  private mutating func occupy(_ offset: Int, _ count: Int) {
    occupied.formUnion(offset / 4096..<(offset + count + 4095) / 4096)
  }
}

/// A tree: directories hold names, names lead to nodes.
private struct NamespaceModel {
  struct Node {
    var isDirectory: Bool
    var linkCount: Int
    var content: [UInt8] = []
    var names: [String: InodeNumber] = [:]
    var parent = InodeNumber.root
  }

  var nodes: [InodeNumber: Node] = [.root: Node(isDirectory: true, linkCount: 2)]
  /// Files that are open and have no name.
  var orphans: [InodeNumber: [UInt8]] = [:]
  var open: Set<InodeNumber> = []

  private var directories: [InodeNumber] {
    nodes.filter(\.value.isDirectory).keys.sorted()
  }

  mutating func step(
    _ volume: inout Volume, _ random: inout SeededGenerator, _ place: String
  ) throws {
    let first = directories.randomElement(using: &random) ?? .root
    let second = directories.randomElement(using: &random) ?? .root
    let names = ["a", "b", "c", "d", "e", "f"]
    let name = names.randomElement(using: &random) ?? ""
    let other = names.randomElement(using: &random) ?? ""
    let number = nodes[first]?.names[name]
    switch random.next() % 12 {
    case 0, 1: try makeFile(name, first, &volume, place)
    case 2: try makeDirectory(name, first, &volume, place)
    case 3: try link(number, other, second, &volume, place)
    case 4: try unlink(name, first, &volume, place)
    case 5: try removeDirectory(name, first, &volume, place)
    case 6...8: try rename(name, first, other, second, [], &volume, place)
    case 9: try rename(name, first, other, second, .exchange, &volume, place)
    case 10: try rename(name, first, other, second, .noReplace, &volume, place)
    default: try openOrClose(number, &volume)
    }
  }

  /// After a crash nothing is open any more.
  mutating func loseOpenFiles() {
    open = []
    orphans = [:]
  }

  private mutating func makeFile(
    _ name: String, _ parent: InodeNumber, _ volume: inout Volume, _ place: String
  ) throws {
    let exists = nodes[parent]?.names[name] != nil
    var made: InodeNumber?
    let error = try fileError { made = try volume.create(name, in: parent) }
    #expect(error == (exists ? .exists : nil), "\(place)")
    guard let made else { return }
    let content = [UInt8](repeating: UInt8(truncatingIfNeeded: made.rawValue), count: 5000)
    try volume.write(content, to: made)
    nodes[made] = Node(isDirectory: false, linkCount: 1, content: content)
    nodes[parent]?.names[name] = made
  }

  private mutating func makeDirectory(
    _ name: String, _ parent: InodeNumber, _ volume: inout Volume, _ place: String
  ) throws {
    let exists = nodes[parent]?.names[name] != nil
    var made: InodeNumber?
    let error = try fileError { made = try volume.makeDirectory(name, in: parent) }
    #expect(error == (exists ? .exists : nil), "\(place)")
    guard let made else { return }
    nodes[made] = Node(isDirectory: true, linkCount: 2, parent: parent)
    nodes[parent]?.names[name] = made
    nodes[parent]?.linkCount += 1
  }

  private mutating func link(
    _ number: InodeNumber?, _ name: String, _ parent: InodeNumber, _ volume: inout Volume,
    _ place: String
  ) throws {
    guard let number, let node = nodes[number] else { return }
    var expected: FileError?
    if node.isDirectory {
      expected = .notPermitted
    } else if nodes[parent]?.names[name] != nil {
      expected = .exists
    }
    #expect(
      try fileError { try volume.link(number, name, in: parent) } == expected, "\(place)")
    guard expected == nil else { return }
    nodes[number]?.linkCount += 1
    nodes[parent]?.names[name] = number
  }

  private mutating func unlink(
    _ name: String, _ parent: InodeNumber, _ volume: inout Volume, _ place: String
  ) throws {
    let number = nodes[parent]?.names[name]
    let node = number.flatMap { nodes[$0] }
    let expected: FileError? = node.map { $0.isDirectory ? .isDirectory : nil } ?? .noEntry
    #expect(try fileError { try volume.unlink(name, in: parent) } == expected, "\(place)")
    guard expected == nil, let number else { return }
    nodes[parent]?.names[name] = nil
    drop(number)
  }

  private mutating func removeDirectory(
    _ name: String, _ parent: InodeNumber, _ volume: inout Volume, _ place: String
  ) throws {
    let number = nodes[parent]?.names[name]
    let node = number.flatMap { nodes[$0] }
    var expected: FileError?
    if let node {
      expected =
        !node.isDirectory ? .notDirectory : node.names.isEmpty ? nil : .directoryNotEmpty
    } else {
      expected = .noEntry
    }
    #expect(try fileError { try volume.removeDirectory(name, in: parent) } == expected, "\(place)")
    guard expected == nil, let number else { return }
    nodes[parent]?.names[name] = nil
    nodes[parent]?.linkCount -= 1
    nodes[number] = nil
  }

  private mutating func rename(
    _ name: String, _ parent: InodeNumber, _ newName: String, _ newParent: InodeNumber,
    _ flags: RenameFlags, _ volume: inout Volume, _ place: String
  ) throws {
    let moved = nodes[parent]?.names[name]
    let old = nodes[newParent]?.names[newName]
    let expected = renameError(moved, parent, old, newParent, flags)
    #expect(
      try fileError { try volume.rename(name, from: parent, to: newName, in: newParent, flags) }
        == expected, "\(place): \(name) to \(newName), flags \(flags.rawValue)")
    guard expected == nil, let moved, moved != old else { return }
    if flags == .exchange, let old {
      moveEntry(old, name, in: parent, from: newParent)
      moveEntry(moved, newName, in: newParent, from: parent)
      return
    }
    if let old {
      if nodes[old]?.isDirectory ?? false {
        nodes[newParent]?.linkCount -= 1
        nodes[old] = nil
      } else {
        drop(old)
      }
    }
    nodes[parent]?.names[name] = nil
    moveEntry(moved, newName, in: newParent, from: parent)
  }

  private func renameError(
    _ moved: InodeNumber?, _ parent: InodeNumber, _ old: InodeNumber?, _ newParent: InodeNumber,
    _ flags: RenameFlags
  ) -> FileError? {
    guard let moved, let node = nodes[moved] else { return .noEntry }
    if flags == .noReplace, old != nil { return .exists }
    if flags == .exchange, old == nil { return .noEntry }
    if moved == old { return nil }
    if flags != .exchange, let old, let oldNode = nodes[old] {
      if node.isDirectory, !oldNode.isDirectory { return .notDirectory }
      if !node.isDirectory, oldNode.isDirectory { return .isDirectory }
      if oldNode.isDirectory, !oldNode.names.isEmpty { return .directoryNotEmpty }
    }
    if node.isDirectory, parent != newParent, isAbove(moved, newParent) { return .invalid }
    if flags == .exchange, let old, nodes[old]?.isDirectory ?? false, parent != newParent,
      isAbove(old, parent)
    {
      return .invalid
    }
    return nil
  }

  private mutating func openOrClose(_ number: InodeNumber?, _ volume: inout Volume) throws {
    if let orphan = orphans.keys.min() {
      #expect(try volume.read(orphan) == orphans[orphan])
      try volume.system.release(orphan, store: &volume.store)
      orphans[orphan] = nil
      open.remove(orphan)
    } else if let number, !(nodes[number]?.isDirectory ?? true), open.insert(number).inserted {
      _ = try volume.system.open(number, store: volume.store)
    }
  }

  private func isAbove(_ ancestor: InodeNumber, _ descendant: InodeNumber) -> Bool {
    var number = descendant
    while number != .root {
      if number == ancestor { return true }
      number = nodes[number]?.parent ?? .root
    }
    return ancestor == .root
  }

  private mutating func moveEntry(
    _ number: InodeNumber, _ name: String, in parent: InodeNumber, from oldParent: InodeNumber
  ) {
    nodes[parent]?.names[name] = number
    guard nodes[number]?.isDirectory ?? false else { return }
    nodes[oldParent]?.linkCount -= 1
    nodes[parent]?.linkCount += 1
    nodes[number]?.parent = parent
  }

  private mutating func drop(_ number: InodeNumber) {
    nodes[number]?.linkCount -= 1
    guard let node = nodes[number], node.linkCount == 0 else { return }
    nodes[number] = nil
    if open.contains(number) { orphans[number] = node.content }
  }

  /// Walks the whole tree on both sides.
  func compare(_ volume: inout Volume, _ place: String) throws {
    for (number, node) in nodes {
      let attributes = try volume.attributes(number)
      #expect(attributes.linkCount == UInt32(node.linkCount), "\(place)")
      guard node.isDirectory else {
        #expect(isEqual(try volume.read(number), node.content), "\(place)")
        continue
      }
      #expect(
        try volume.names(in: number, pageCount: 3).sorted()
          == ([".", ".."] + node.names.keys).sorted(),
        "\(place)")
      #expect(try volume.lookup("..", in: number).inode == node.parent, "\(place)")
      for (name, target) in node.names {
        #expect(try volume.lookup(name, in: number).inode == target, "\(place)")
      }
    }
    let directoryCount = UInt64(directories.count)
    #expect(volume.system.counters.directories == directoryCount, "\(place)")
    #expect(
      volume.system.counters.files == UInt64(nodes.count) - directoryCount, "\(place)")
    let files = UInt64(nodes.values.count { !$0.isDirectory } + orphans.count)
    #expect(volume.store.usedBlocks == files * 2, "\(place)")
  }

  mutating func removeAll(_ volume: inout Volume) throws {
    for orphan in orphans.keys { try volume.system.release(orphan, store: &volume.store) }
    func remove(_ directory: InodeNumber) throws {
      for (name, number) in nodes[directory]?.names ?? [:] {
        if nodes[number]?.isDirectory ?? false {
          try remove(number)
          try volume.removeDirectory(name, in: directory)
        } else {
          try volume.unlink(name, in: directory)
        }
      }
    }
    try remove(.root)
    for number in open where orphans[number] == nil {
      try volume.system.release(number, store: &volume.store)
    }
    try volume.reclaimAll()
  }
}
