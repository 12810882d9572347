import IOSeams
import StorageModel
import Testing

@testable import BlockCrypto

@Suite struct SealerTests {
  static let key = [UInt8](0..<32)
  static let byteCounts = [0, 1, 15, 16, 17, 4095, 4096, 4097, 65536]

  /// One of each kind.
  static func sealers(of volume: VolumeID = volume) throws -> [VolumeSealer] {
    [
      VolumeSealer(plain: volume),
      try VolumeSealer(encrypted: volume, dataKey: secret(Self.key)),
    ]
  }

  static func text(_ byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  }

  @Test(arguments: byteCounts)
  func `What was sealed opens at its place with its nonce`(byteCount: Int) throws {
    for sealer in try Self.sealers() {
      for place in [block, value] {
        let text = Self.text(byteCount)
        let sealed = sealer.seal(text, nonce(), place)
        #expect(sealer.open(sealed, nonce(), place) == text)
        #expect(sealer.encrypts == (sealed.text != text) || byteCount == 0)
      }
    }
  }

  @Test func `Sealing in place gives the same as sealing into a copy`() throws {
    for sealer in try Self.sealers() {
      let text = Self.text(4096)
      let copied = sealer.seal(text, nonce(), block)
      var inPlace = Sealed(text: text, tag: [UInt8](repeating: 0, count: sealer.tagByteCount))
      inPlace.text.withUnsafeMutableBytes { bytes in
        inPlace.tag.withUnsafeMutableBytes { tag in
          sealer.seal(
            UnsafeRawBufferPointer(bytes), into: bytes, nonce: nonce(), place: block, tag: tag)
        }
      }
      #expect(inPlace.text == copied.text)
      #expect(inPlace.tag == copied.tag)
    }
  }

  @Test(arguments: [
    SealPlace.block(object: ObjectNumber(7), block: BlockNumber(4)),
    .block(object: ObjectNumber(8), block: BlockNumber(3)),
    .block(object: ObjectNumber(3), block: BlockNumber(7)),
    .value(key: StoreKey([1, 2, 3])), .value(key: StoreKey([])),
    .value(key: StoreKey([7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0])),
  ])
  func `A block that was moved elsewhere does not open`(place: SealPlace) throws {
    for sealer in try Self.sealers() {
      let sealed = sealer.seal(Self.text(4096), nonce(), block)
      #expect(sealer.open(sealed, nonce(), place) == nil)
    }
  }

  @Test func `A block of another volume does not open`() throws {
    for (sealer, other) in zip(try Self.sealers(), try Self.sealers(of: otherVolume)) {
      let sealed = sealer.seal(Self.text(4096), nonce(), block)
      #expect(other.open(sealed, nonce(), block) == nil)
    }
  }

  @Test func `Every flipped bit of text or tag is found`() throws {
    for sealer in try Self.sealers() {
      let sealed = sealer.seal(Self.text(64), nonce(), block)
      for bit in 0..<64 * 8 {
        var rotten = sealed
        rotten.text[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(sealer.open(rotten, nonce(), block) == nil)
      }
      for bit in 0..<sealer.tagByteCount * 8 {
        var rotten = sealed
        rotten.tag[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(sealer.open(rotten, nonce(), block) == nil)
      }
    }
  }

  @Test func `A tag that is too short does not open`() throws {
    for sealer in try Self.sealers() {
      var sealed = sealer.seal(Self.text(64), nonce(), block)
      sealed.tag.removeLast()
      #expect(sealer.open(sealed, nonce(), block) == nil)
    }
  }

  @Test(arguments: [
    nonce(epoch: 2), nonce(incarnation: 2), nonce(lsn: 2), nonce(position: 1),
    nonce(lsn: 1 << 32),
  ])
  func `An encrypted text is another with each part of the nonce, and opens with no other`(
    other: SealNonce
  ) throws {
    let sealer = try AESGCMSealer(volume: volume, dataKey: secret(Self.key))
    let text = Self.text(64)
    let sealed = sealer.seal(text, nonce(), block)
    #expect(sealer.seal(text, other, block).text != sealed.text)
    #expect(sealer.open(sealed, other, block) == nil)
    #expect(sealer.open(sealed, nonce(), block) == text)
  }

  @Test func `A sealer made again from the same key opens old blocks`() throws {
    let sealed = try AESGCMSealer(volume: volume, dataKey: secret(Self.key)).seal(
      Self.text(64), nonce(), block)
    let again = try AESGCMSealer(volume: volume, dataKey: secret(Self.key))
    #expect(again.open(sealed, nonce(), block) == Self.text(64))
    let other = try AESGCMSealer(volume: volume, dataKey: SecretBytes.random(byteCount: 32))
    #expect(other.open(sealed, nonce(), block) == nil)
  }

  @Test(arguments: [0, 16, 31, 33])
  func `A data key of another length is refused`(byteCount: Int) {
    #expect(throws: KeyError.self) {
      try AESGCMSealer(volume: volume, dataKey: secret([UInt8](repeating: 1, count: byteCount)))
    }
  }

  @Test func `More incarnations than the pool keeps contexts for still open`() throws {
    let sealer = try AESGCMSealer(volume: volume, dataKey: secret(Self.key))
    let text = Self.text(64)
    let sealed = (1...200).map { sealer.seal(text, nonce(incarnation: $0), block) }
    for (index, sealed) in sealed.enumerated() {
      #expect(sealer.open(sealed, nonce(incarnation: UInt32(index + 1)), block) == text)
    }
  }

  @Test func `Many threads seal and open at the same time`() async throws {
    for sealer in try Self.sealers() {
      await withTaskGroup(of: Bool.self) { group in
        for task in 0..<16 {
          group.addTask {
            (1...200).allSatisfy { round in
              let nonce = nonce(
                incarnation: UInt32(round % 5), lsn: UInt64(round), position: UInt32(task))
              let place = SealPlace.block(
                object: ObjectNumber(UInt64(task)), block: BlockNumber(UInt64(round)))
              let text = [UInt8](repeating: UInt8(truncatingIfNeeded: round &+ task), count: 512)
              return sealer.open(sealer.seal(text, nonce, place), nonce, place) == text
            }
          }
        }
        for await isRight in group { #expect(isRight) }
      }
    }
  }

  @Test func `Name hashes are stable, differ by name, and by volume or key`() throws {
    let others = [
      VolumeSealer(plain: otherVolume),
      try VolumeSealer(
        encrypted: volume, dataKey: secret([UInt8](repeating: 9, count: 32))),
    ]
    for (sealer, other) in zip(try Self.sealers(), others) {
      let hashes = Set((0..<1000).map { sealer.nameHash("file-\($0)") })
      #expect(hashes.count == 1000)
      #expect(sealer.nameHash("a") == sealer.nameHash("a"))
      #expect(sealer.nameHash("a") != other.nameHash("a"))
    }
    for (sealer, again) in zip(try Self.sealers(), try Self.sealers()) {
      #expect(sealer.nameHash("name") == again.nameHash("name"))
    }
  }
}
