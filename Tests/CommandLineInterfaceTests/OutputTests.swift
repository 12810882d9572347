import Messages
import Testing

@testable import CommandLineInterface

@Suite struct OutputTests {
  private let value = OutputValue.object([
    .init(key: "name", value: .text("a \"b\"\n\u{1}")), .init(key: "empty", value: .list([])),
    .init(
      key: "list",
      value: .list([
        .object([.init(key: "x", value: .number("1")), .init(key: "z", value: .null)]),
        .text("true"), .truth(true), .text("plain"), .text("12"), .text("a: b"), .text(""),
      ])), .init(key: "map", value: .object([])),
  ])

  @Test func `JSON is indented and escaped`() {
    #expect(
      OutputWriter.json(value) == """
        {
          "name": "a \\"b\\"\\n\\u0001",
          "empty": [],
          "list": [
            {
              "x": 1,
              "z": null
            },
            "true",
            true,
            "plain",
            "12",
            "a: b",
            ""
          ],
          "map": {}
        }

        """)
  }

  @Test func `YAML quotes what could be taken for something else`() {
    #expect(
      OutputWriter.yaml(value) == """
        name: "a \\"b\\"\\n\\u0001"
        empty: []
        list:
          - x: 1
            z: null
          - "true"
          - true
          - plain
          - "12"
          - "a: b"
          - ""
        map: {}

        """)
  }

  @Test func `messages show their keys, words for enumerations and times in UTC`() {
    var volume = Control.Volume()
    volume.id = "x"
    volume.state = .inUse
    volume.encryption = .aes256GCM
    volume.type = .persistent
    var created = WellKnown.Timestamp()
    created.seconds = 1_705_314_615
    volume.createdAt = created
    let text = OutputWriter.yaml(OutputValue(volume))
    #expect(text.contains("\nstate: InUse\n"))
    #expect(text.contains("encryption: AES-256-GCM"))
    #expect(text.contains("created_at: \"2024-01-15T10:30:15Z\""))
    #expect(text.contains("type: Persistent"))
  }

  @Test(
    arguments: [
      (0, "1970-01-01 00:00:00 UTC"), (951_782_399, "2000-02-28 23:59:59 UTC"),
      (951_782_400, "2000-02-29 00:00:00 UTC"), (-1, "1969-12-31 23:59:59 UTC"),
      (4_107_542_400, "2100-03-01 00:00:00 UTC"), (253_402_300_799, "9999-12-31 23:59:59 UTC"),
    ] as [(Int64, String)])
  func `seconds become civil time`(seconds: Int64, expected: String) {
    var time = WellKnown.Timestamp()
    time.seconds = seconds
    #expect(CivilTime(time).text == expected)
  }

  @Test func `columns of a table line up`() {
    let table = Table(head: ["A", "LONG"], rows: [["value", "x"], ["v", "y"]])
    #expect(table.text == "A      LONG\nvalue  x\nv      y\n")
  }

  @Test(arguments: [(0, "0"), (999, "999"), (1247, "1,247"), (1_000_000, "1,000,000")])
  func `numbers are grouped by thousands`(number: UInt64, expected: String) {
    #expect(Wording.grouped(number) == expected)
  }
}
