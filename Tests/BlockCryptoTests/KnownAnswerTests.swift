import Testing

@testable import BlockCrypto

/// A test case of "The Galois/Counter Mode of Operation" (McGrew and Viega), appendix B.
struct GCMVector: Sendable, CustomTestStringConvertible {
  let number: Int
  let key: String
  let nonce: String
  let text: String
  let associatedData: String
  let cipherText: String
  let tag: String

  var testDescription: String { "case \(number)" }

  private static let zeroKey = String(repeating: "00", count: 32)
  private static let key = String(repeating: "feffe9928665731c6d6a8f9467308308", count: 2)
  private static let nonce = "cafebabefacedbaddecaf888"
  private static let text =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
  private static let cipherText =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

  static let all = [
    GCMVector(
      number: 13, key: zeroKey, nonce: String(repeating: "00", count: 12), text: "",
      associatedData: "", cipherText: "", tag: "530f8afbc74536b9a963b4f1c4cb738b"),
    GCMVector(
      number: 14, key: zeroKey, nonce: String(repeating: "00", count: 12),
      text: String(repeating: "00", count: 16), associatedData: "",
      cipherText: "cea7403d4d606b6e074ec5d3baf39d18", tag: "d0d1c8a799996bf0265b98b5d48ab919"),
    GCMVector(
      number: 15, key: key, nonce: nonce, text: text + "1aafd255", associatedData: "",
      cipherText: cipherText + "898015ad", tag: "b094dac5d93471bdec1a502270e3cc6c"),
    GCMVector(
      number: 16, key: key, nonce: nonce, text: text,
      associatedData: "feedfacedeadbeeffeedfacedeadbeefabaddad2", cipherText: cipherText,
      tag: "76fc6ece0f4e1768cddf8853bb2d551b"),
  ]
}

@Suite struct KnownAnswerTests {
  @Test(arguments: GCMVector.all)
  func `AES-256-GCM seals the published vectors to the published text and tag`(
    vector: GCMVector
  ) throws {
    let key = hex(vector.key)
    let context = try #require(
      key.withUnsafeBytes { GCMContext(key: $0, direction: .seal) })
    let source = hex(vector.text)
    var target = [UInt8](repeating: 0, count: source.count)
    var tag = [UInt8](repeating: 0, count: 16)
    let isSealed = source.withUnsafeBytes { source in
      target.withUnsafeMutableBytes { target in
        tag.withUnsafeMutableBytes { tag in
          hex(vector.nonce).withUnsafeBytes { nonce in
            hex(vector.associatedData).withUnsafeBytes { associatedData in
              context.seal(
                source, into: target, nonce: nonce, associatedData: associatedData, tag: tag)
            }
          }
        }
      }
    }
    #expect(isSealed)
    #expect(target == hex(vector.cipherText))
    #expect(tag == hex(vector.tag))
  }

  @Test(arguments: GCMVector.all)
  func `AES-256-GCM opens the published vectors, and a context serves many messages`(
    vector: GCMVector
  ) throws {
    let context = try #require(
      hex(vector.key).withUnsafeBytes { GCMContext(key: $0, direction: .open) })
    for isIntact in [true, false, true] {
      var tag = hex(vector.tag)
      if !isIntact { tag[0] ^= 1 }
      var bytes = hex(vector.cipherText)
      let isOpen = bytes.withUnsafeMutableBytes { bytes in
        tag.withUnsafeBytes { tag in
          hex(vector.nonce).withUnsafeBytes { nonce in
            hex(vector.associatedData).withUnsafeBytes { associatedData in
              context.open(
                UnsafeRawBufferPointer(bytes), into: bytes, nonce: nonce,
                associatedData: associatedData, tag: tag)
            }
          }
        }
      }
      #expect(isOpen == isIntact)
      let wiped = [UInt8](repeating: 0, count: bytes.count)
      #expect(bytes == (isIntact ? hex(vector.text) : wiped))
    }
  }

  /// From xxHash's own self test: its generated buffer, seed 0.
  @Test(
    arguments: [
      (0, 0x2D06_8005_38D3_94C2), (1, 0xC44B_DFF4_074E_ECDB), (6, 0x27B5_6A84_CD2D_7325),
      (12, 0xA713_DAF0_DFBB_77E7), (24, 0xA3FE_70BF_9D35_10EB), (48, 0x397D_A259_ECBA_1F11),
      (80, 0xBCDE_FBBB_2C47_C90A), (195, 0xCD94_217E_E362_EC3A), (403, 0xCDEB_804D_65C6_DEA4),
      (512, 0x617E_4959_9013_CB6B), (2048, 0xDD59_E2C3_A5F0_38E0),
    ] as [(Int, UInt64)])
  func `XXH3-64 gives the published answers`(byteCount: Int, expected: UInt64) {
    var generator: UInt64 = 2_654_435_761
    var bytes: [UInt8] = []
    for _ in 0..<byteCount {
      bytes.append(UInt8(generator >> 56))
      generator &*= 11_400_714_785_074_694_797
    }
    #expect(bytes.withUnsafeBytes { xxh3($0) } == expected)
  }

  /// From the reference implementation: key 00 … 0f, text 00 … n − 1.
  @Test(
    arguments: [
      (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (7, 0xab02_00f5_8b01_d137),
      (8, 0x93f5_f579_9a93_2462), (15, 0xa129_ca61_49be_45e5),
    ] as [(UInt8, UInt64)])
  func `SipHash-2-4 gives the published answers`(byteCount: UInt8, expected: UInt64) {
    let hash = Array(0..<byteCount).withUnsafeBytes {
      SipHash.hash($0, key0: 0x0706_0504_0302_0100, key1: 0x0f0e_0d0c_0b0a_0908)
    }
    #expect(hash == expected)
  }

  @Test func `Derived keys differ by label and by context, and stay the same`() throws {
    let key = secret([UInt8](repeating: 0x0b, count: 32))
    let first = try key.derive(label: "a", context: [1])
    #expect(first.equals(try key.derive(label: "a", context: [1])))
    #expect(!first.equals(try key.derive(label: "b", context: [1])))
    #expect(!first.equals(try key.derive(label: "a", context: [2])))
    #expect(
      !first.equals(
        try secret([UInt8](repeating: 0x0c, count: 32)).derive(label: "a", context: [1])))
  }
}
