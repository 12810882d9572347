import IOSeams
import StorageModel
import Testing

@testable import VFS

/// Bytes of version 1, never to be edited: volumes in the field hold them.
@Suite struct FormatTests {
  private static let link: Inode = {
    var inode = Inode(
      number: InodeNumber(0x0102), kind: .symbolicLink, permissions: 0o777, linkCount: 2,
      userID: 1000, groupID: 0x10203, now: Timestamp(seconds: 0x1122_3344, nanoseconds: 999_999_999)
    )
    inode.target = [97, 47, 98]
    inode.sizeBytes = 3
    inode.created = Timestamp(seconds: -1, nanoseconds: 1)
    return inode
  }()

  private static let file: Inode = {
    var inode = Inode(
      number: InodeNumber(7), kind: .regular, permissions: 0o4755, linkCount: 1, userID: 0,
      groupID: 0, now: Timestamp(seconds: 1, nanoseconds: 2))
    inode.sizeBytes = 0x0807_0605_0403_0201
    inode.blockCount = 0x11
    inode.blockEnd = 0x1234
    inode.xattrCount = 3
    inode.hasCapabilities = true
    return inode
  }()

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test func `a symbolic link is stored as in version 1`() throws {
    let expected =
      "010aff0102000000e80300000302010000000000" + "00000000" + "0300000000000000"
      + "00000000000000000000000000000000" + "4433221100000000" + "4433221100000000"
      + "4433221100000000" + "ffffffffffffffff" + "ffc99a3bffc99a3bffc99a3b01000000" + "612f62"
    #expect(Self.hex(Self.link.encoded) == expected)
    #expect(try Inode(decoding: Self.link.encoded, number: Self.link.number) == Self.link)
  }

  @Test func `a regular file is stored as in version 1`() throws {
    let expected =
      "0108ed0901000000000000000000000000000000" + "03000100" + "0102030405060708"
      + "11000000000000003412000000000000" + "0100000000000000" + "0100000000000000"
      + "0100000000000000" + "0100000000000000" + "02000000020000000200000002000000"
    #expect(Self.hex(Self.file.encoded) == expected)
    #expect(try Inode(decoding: Self.file.encoded, number: Self.file.number) == Self.file)
  }

  @Test func `a directory is stored with its parent and its count of entries`() throws {
    var inode = Inode(
      number: .root, kind: .directory, permissions: 0o755, linkCount: 2, userID: 0, groupID: 0,
      now: Timestamp(seconds: 0, nanoseconds: 0))
    inode.parent = .root
    inode.entryCount = 5
    #expect(
      Self.hex(inode.encoded)
        == "0104ed01020000000000000000000000000000000000000005000000000000000000000000000000"
        + "0100000000000000" + String(repeating: "0", count: 96))
    #expect(try Inode(decoding: inode.encoded, number: .root) == inode)
  }

  @Test func `names that share a hash are stored as in version 1`() throws {
    var bucket = EntryBucket()
    _ = bucket.set([97], inode: InodeNumber(0x0102), kind: .regular)
    _ = bucket.set([98, 99], inode: InodeNumber(3), kind: .directory)
    #expect(Self.hex(bucket.encoded) == "0100080201000000000000016101040300000000000000026263")
    #expect(try EntryBucket(decoding: bucket.encoded, directory: .root) == bucket)
  }

  @Test func `an extended attribute is stored as in version 1`() throws {
    var bucket = XattrBucket()
    bucket.set([117, 46, 97], [1, 2])
    bucket.set([98], [])
    #expect(Self.hex(bucket.encoded) == "010302000000752e610102" + "010000000062")
    #expect(try XattrBucket(decoding: bucket.encoded, inode: .root) == bucket)
  }

  @Test func `counters, leftovers and replies are stored as in version 1`() throws {
    let counters = Counters(nextInode: 0x0102, files: 3, directories: 4)
    #expect(
      Self.hex(counters.encoded) == "01020100000000000003000000000000000400000000000000")
    #expect(try Counters(decoding: counters.encoded) == counters)

    var leftover = Leftover()
    leftover.isOrphan = true
    leftover.isPurged = true
    leftover.firstBlock = 1
    leftover.endBlock = 0x0203
    leftover.blockCount = 4
    #expect(
      Self.hex(leftover.encoded) == "0103010000000000000003020000000000000400000000000000")
    #expect(try Leftover(decoding: leftover.encoded, inode: .root) == leftover)

    let reply = StoredReply(sequence: 0x0102, reply: .inode(InodeNumber(9)))
    #expect(Self.hex(reply.encoded) == "0101020100000000000009" + "00000000000000")
    #expect(try StoredReply(decoding: reply.encoded) == reply)
    let done = StoredReply(sequence: 5, reply: .done)
    #expect(try StoredReply(decoding: done.encoded) == done)
  }

  @Test func `keys are a tag and numbers that sort as bytes`() {
    let hash = NameHash(of: 0xFFFF_FFFF_FFFF_FFFF)
    let identity = RequestIdentity(session: 2, sequence: 0x1FF, mayBeRepeated: false)
    #expect(Self.hex(Keys.counters.bytes) == "53")
    #expect(Self.hex(Keys.inode(InodeNumber(0x0102)).bytes) == "490000000000000102")
    #expect(
      Self.hex(Keys.entry(in: .root, hash: hash).bytes) == "4400000000000000017fffffffffffff")
    #expect(
      Self.hex(Keys.xattr(of: .root, hash: hash).bytes) == "5800000000000000017fffffffffffff")
    #expect(Self.hex(Keys.leftover(.root).bytes) == "4f0000000000000001")
    #expect(Self.hex(Keys.reply(identity).bytes) == "520000000000000002ff")
    #expect(Self.hex(Keys.entries(of: .root).upper.bytes) == "440000000000000002")
    #expect(Keys.entries(of: InodeNumber(.max)).upper == StoreKey([UInt8(ascii: "E")]))
    #expect(Keys.hash(in: Keys.entry(in: .root, hash: hash)) == hash)
  }

  @Test func `a readdir position is a positive off_t and never one of the dots`() {
    for hash in [0, 1, 511, 512, UInt64.max] {
      let position = NameHash(of: hash).position(slot: 0)
      #expect(position >= 256)
      #expect(NameHash(of: hash).position(slot: 255) <= UInt64(Int64.max))
    }
  }

  /// Each value and what decodes it.
  private static let decoders: [(bytes: [UInt8], decode: @Sendable ([UInt8]) throws -> Void)] = [
    (link.encoded, { _ = try Inode(decoding: $0, number: .root) }),
    (file.encoded, { _ = try Inode(decoding: $0, number: .root) }),
    (
      [1, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0, 2, 97, 98],
      { _ = try EntryBucket(decoding: $0, directory: .root) }
    ),
    ([1, 1, 2, 0, 0, 0, 97, 5, 6], { _ = try XattrBucket(decoding: $0, inode: .root) }),
    (
      Counters(nextInode: 5, files: 2, directories: 1).encoded,
      { _ = try Counters(decoding: $0) }
    ),
    (
      { () -> Leftover in
        var leftover = Leftover()
        leftover.isOrphan = true
        return leftover
      }().encoded, { _ = try Leftover(decoding: $0, inode: .root) }
    ),
    (
      StoredReply(sequence: 1, reply: .inode(.root)).encoded, { _ = try StoredReply(decoding: $0) }
    ),
  ]

  @Test(arguments: 0..<7)
  func `each truncation of a value is corrupt, whatever it holds`(index: Int) throws {
    let (bytes, decode) = Self.decoders[index]
    try decode(bytes)
    for count in 0..<bytes.count {
      // A symbolic link's target is as long as its size says, so cutting it is noticed too.
      let error = #expect(throws: FileSystemFailure.self) { try decode(Array(bytes[..<count])) }
      #expect(error?.fileError == .inputOutput)
    }
  }

  @Test(arguments: 0..<7)
  func `no flipped byte makes a decoder trap`(index: Int) {
    let (bytes, decode) = Self.decoders[index]
    for position in bytes.indices {
      for mask: UInt8 in [0x01, 0x80, 0xFF] {
        var rotten = bytes
        rotten[position] ^= mask
        do {
          try decode(rotten)
        } catch {
          #expect((error as? FileSystemFailure)?.fileError == .inputOutput)
        }
      }
    }
  }

  @Test func `bytes behind a value's end are corrupt`() {
    for (bytes, decode) in Self.decoders {
      #expect(throws: FileSystemFailure.self) { try decode(bytes + [0]) }
    }
  }

  @Test func `each error of the store has its answer`() {
    let corruption = Corruption(place: "here", expected: "1", found: "2")
    let answers: [(StoreError, FileError)] = [
      (.noSpace(neededBlocks: 1, availableBlocks: 0), .noSpace), (.poolFull, .noSpace),
      (.corrupt(corruption), .inputOutput),
      (.io(IOFailure(operation: "read", errorNumber: 5)), .inputOutput),
      (.invalid("no"), .invalid), (.readOnly("sync failed"), .readOnly),
    ]
    for (error, answer) in answers {
      #expect(FileSystemFailure.store(error).fileError == answer)
    }
    #expect(FileSystemFailure.posix(.noEntry).fileError == .noEntry)
  }
}
