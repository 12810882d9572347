import Testing

/// The rules find what they are there to find.
struct RulesTests {
  private static func manifest(_ lines: String) throws -> Manifest {
    try Manifest(text: "let package = Package(\n  targets: [\n\(lines)\n  ]\n)\n")
  }

  @Test func `names, layers, dependencies and products are read`() throws {
    let manifest = try Self.manifest(
      """
          // L0: C.
          .systemLibrary(name: "CDisk", providers: [.apt(["libdisk-dev"])]),
          // L2: some.
          room(
            "Store",
            [
              "CDisk", logging,
            ]),
          // Tests.
          tests(of: "Store", ["CDisk"]),
      """)
    #expect(
      manifest.targets == [
        .init(name: "CDisk", kind: .cLibrary, layer: 0, dependencies: [], products: []),
        .init(name: "Store", kind: .room, layer: 2, dependencies: ["CDisk"], products: ["logging"]),
        .init(
          name: "StoreTests", kind: .test, layer: nil, dependencies: ["Store", "CDisk"],
          products: []),
      ])
  }

  @Test(arguments: [
    "    room(\"A\"),", "    // L1: x\n    room(\"A\"", "    // L1: x\n    room(b),",
  ])
  func `a manifest that cannot be read is an error`(lines: String) {
    #expect(throws: Manifest.Malformed.self) { try Self.manifest(lines) }
  }

  @Test(arguments: [
    ("    // L1: x\n    room(\"A\", [\"B\"]),\n    // L2: y\n    room(\"B\"),", "A (L1) → B (L2)"),
    ("    // L1: x\n    room(\"A\", [\"B\"]),\n    room(\"B\"),", "A (L1) → B (L1)"),
    ("    // L1: x\n    room(\"A\", [\"B\"]),", "A → B: no target"),
  ])
  func `an arrow up, sideways or to nowhere is found`(lines: String, finding: String) throws {
    #expect(Rules(manifest: try Self.manifest(lines)).upwardArrows() == [finding])
  }

  @Test func `a C library of two importers and one of none are found`() throws {
    let manifest = try Self.manifest(
      """
          // L0: C.
          .target(name: "CTwo"),
          .target(name: "CNone"),
          // L4: users.
          room("A", ["CTwo"]),
          program("B", ["CTwo"]),
      """)
    #expect(Rules(manifest: manifest).sharedCLibraries().count == 2)
  }

  @Test func `a pure target with a product or a C library is found`() throws {
    let manifest = try Self.manifest(
      "    // L0: C.\n    .target(name: \"C1\"),\n    // L3: x\n    room(\"A\", [\"C1\", logging]),"
    )
    #expect(Rules(manifest: manifest).impureTargets() == ["A → logging", "A → C1"])
  }

  @Test(arguments: [
    "import Glibc", "package import Foundation", "@preconcurrency import Logging",
    "import struct Foundation.Data", "import B",
  ])
  func `an import that is not declared is found in a pure source`(line: String) throws {
    let manifest = try Self.manifest("    // L1: x\n    room(\"A\"),\n    room(\"B\"),")
    let file = SourceFile(path: "Sources/A/File.swift", text: "\(line)\n")
    #expect(Rules(manifest: manifest).undeclaredImports(in: [file]).count == 1)
  }

  @Test func `comments import nothing and trap nowhere`() throws {
    let manifest = try Self.manifest("    // L1: x\n    room(\"A\"),")
    let text = "// import Glibc\n/// `fatalError()` and try! are not used.\nlet a = 1  // as! b\n"
    let file = SourceFile(path: "Sources/A/File.swift", text: text)
    let rules = Rules(manifest: manifest)
    #expect(rules.undeclaredImports(in: [file]) == [])
    #expect(rules.traps(in: [file]) == [])
  }

  @Test(arguments: ["fatalError(\"x\")", "try! run()", "let a = b as! C"])
  func `a trap is found with its line`(line: String) throws {
    let file = SourceFile(path: "Sources/A/File.swift", text: "let x = 1\n\(line)\n")
    let traps = Rules(manifest: try Self.manifest("")).traps(in: [file])
    #expect(traps.count == 1)
    #expect(traps.first?.hasPrefix("Sources/A/File.swift:2: ") == true)
  }

  @Test(arguments: [(150, 0), (151, 1)])
  func `an executable may have 150 lines in all`(lineCount: Int, findings: Int) throws {
    let manifest = try Self.manifest("    // L9: x\n    program(\"p\", []),")
    let file = SourceFile(
      path: "Sources/p/main.swift", text: String(repeating: "//\n", count: lineCount))
    #expect(Rules(manifest: manifest).longPrograms(in: [file]).count == findings)
  }

  @Test(arguments: [(800, 0), (801, 1)])
  func `a file may have 800 lines`(lineCount: Int, findings: Int) throws {
    let file = SourceFile(
      path: "Sources/A/File.swift", text: String(repeating: "//\n", count: lineCount))
    #expect(Rules(manifest: try Self.manifest("")).longFiles(in: [file]).count == findings)
  }
}
