import Testing

@testable import DaemonConfiguration

@Suite struct NetworkAddressTests {
  @Test(
    arguments: [
      ("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:8090", "::1", 8090),
      ("localhost:0", "localhost", 0), ("node-1.example:65535", "node-1.example", 65535),
    ] as [(String, String, UInt16)])
  func `host and port are told apart`(text: String, host: String, port: UInt16) throws {
    let address = try NetworkAddress(parsing: text, what: "address")
    #expect(address == NetworkAddress(host: host, port: port))
    #expect(address.description == text)
  }

  @Test(arguments: [
    "", ":", "host", "host:", ":80", "host:65536", "host:-1", "host:+1", "::1:80", "host:8 0",
    "ho st:80", "a/b:80", "host:80x", "[::1]",
  ])
  func `what is no address is refused`(text: String) {
    #expect(throws: Refusal.self) { try NetworkAddress(parsing: text, what: "address") }
  }

  @Test(arguments: [
    ("127.0.0.1", true), ("127.255.0.9", true), ("localhost", true), ("::1", true),
    ("0.0.0.0", false), ("::", false), ("10.0.1.10", false), ("127.evil.example.org", false),
    ("127.0.0.1.example.org", false),
  ])
  func `only loopback counts as loopback`(host: String, expected: Bool) {
    #expect(NetworkAddress(host: host, port: 1).isLoopback == expected)
  }
}
