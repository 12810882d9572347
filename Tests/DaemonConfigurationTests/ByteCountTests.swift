import Testing

@testable import DaemonConfiguration

@Suite struct ByteCountTests {
  @Test(
    arguments: [
      ("0", 0), ("1", 1), ("4096", 4096), ("4K", 4096), ("4k", 4096), ("256MB", 256 << 20),
      ("1G", 1 << 30), ("1Gi", 1 << 30), ("2GiB", 2 << 30), ("1.5G", 3 << 29), ("1T", 1 << 40),
      ("10 MB", 10 << 20), ("0.5K", 512), ("7B", 7), ("1P", 1 << 50),
    ] as [(String, UInt64)])
  func `suffixes are powers of 1024`(text: String, expected: UInt64) throws {
    #expect(try ByteCount.parse(text) == expected)
  }

  @Test(arguments: [
    "", "G", "-1G", "-0", "1X", "1.2.3G", ".5G", "1e9", "0x10", "१G", "9223372036854775808",
    "99999999999999999999", "8193P", "1 G G", "NaN", "1GG",
  ])
  func `what is not a size is refused with its text`(text: String) {
    let refusal = #expect(throws: Refusal.self) { try ByteCount.parse(text) }
    #expect(refusal?.kind == .invalid)
    #expect(refusal?.message.contains("\"\(text)\"") == true)
  }

  @Test func `a negative size is called negative`() {
    let refusal = #expect(throws: Refusal.self) { try ByteCount.parse("-5G") }
    #expect(refusal?.message.contains("negative") == true)
  }

  @Test(
    arguments: [
      (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KB"), (1536, "1.5 KB"),
      (1 << 30, "1.0 GB"), (2_469_606_195, "2.3 GB"), (UInt64.max, "16384.0 PB"),
    ] as [(UInt64, String)])
  func `sizes print in the largest unit that fits`(bytes: UInt64, expected: String) {
    #expect(ByteCount.format(bytes) == expected)
  }
}
