import StorageModel
import Testing

struct UUIDValueTests {
  private static let text = "00112233-4455-6677-8899-aabbccddeeff"

  @Test func `the canonical form is read and written`() throws {
    let uuid = try #require(UUIDValue(Self.text))
    #expect(uuid.high == 0x0011_2233_4455_6677)
    #expect(uuid.low == 0x8899_AABB_CCDD_EEFF)
    #expect(uuid.description == Self.text)
  }

  @Test func `upper case is read and lower case written`() {
    #expect(UUIDValue(Self.text.uppercased())?.description == Self.text)
  }

  @Test(arguments: [
    "", "0", "00112233445566778899aabbccddeeff", "00112233-4455-6677-8899-aabbccddeef",
    "00112233-4455-6677-8899-aabbccddeefff", "00112233-4455-6677-8899_aabbccddeeff",
    "0011223-34455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeefg",
    " 00112233-4455-6677-8899-aabbccddeeff", "{0112233-4455-6677-8899-aabbccddeeff}",
    "../../etc/passwd", "00112233-4455-6677-8899-aabbccddee\u{e9}",
  ])
  func `anything else is refused`(text: String) {
    #expect(UUIDValue(text) == nil)
  }

  @Test func `its bytes stand in the order of its text`() throws {
    let uuid = try #require(UUIDValue(Self.text))
    #expect(uuid.bytes == (0..<16).map { UInt8($0 * 17) })
  }

  @Test func `order is that of the text`() throws {
    let texts = [
      "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001",
      "00000000-0000-0000-8000-000000000000", "00000000-0000-0001-0000-000000000000",
      "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ]
    let uuids = try texts.map { try #require(UUIDValue($0)) }
    #expect(uuids.reversed().sorted() == uuids)
  }

  @Test(arguments: [UInt64.min, .max, 0x5555_5555_5555_5555])
  func `random ones carry version 4 and the variant of RFC 9562`(word: UInt64) {
    var generator = Constant(word: word)
    let text = Array(UUIDValue(randomFrom: &generator).description)
    #expect(text[14] == "4")
    #expect("89ab".contains(text[19]))
  }

  @Test func `a volume's name is its UUID`() {
    #expect(VolumeID(Self.text)?.description == Self.text)
    #expect(VolumeID("not a UUID") == nil)
    #expect(PoolID(Self.text)?.description == Self.text)
    #expect(PoolID("") == nil)
  }
}

/// Always the same bits.
private struct Constant: RandomNumberGenerator {
  let word: UInt64

  func next() -> UInt64 { word }
}
