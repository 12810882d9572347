import Testing

/// Holds Package.swift and the sources to the layers that the README draws.
struct ArchitectureTests {
  private let manifest: Manifest
  private let rules: Rules
  private let sources: [SourceFile]

  init() throws {
    manifest = try Manifest(text: try Repository.text("Package.swift"))
    rules = Rules(manifest: manifest)
    sources = try SourceFile.all(below: "Sources")
  }

  @Test func `Package.swift is understood`() {
    #expect(manifest["StorageModel"]?.layer == 1)
    #expect(manifest["StorageModelTests"]?.kind == .test)
    #expect(manifest.targets.contains { $0.kind == .program })
    #expect(manifest.targets.contains { $0.kind == .cLibrary })
    #expect(sources.contains { $0.target == "StorageModel" })
  }

  @Test func `every arrow between targets points down`() {
    #expect(rules.upwardArrows() == [])
  }

  @Test func `each C target has exactly one importer`() {
    #expect(rules.sharedCLibraries() == [])
  }

  @Test func `the pure layers depend on nothing outside`() {
    #expect(rules.impureTargets() == [])
  }

  @Test func `sources import what their target declares, pure ones nothing else`() {
    #expect(rules.undeclaredImports(in: sources) == [])
  }

  @Test func `executables only compose`() {
    #expect(rules.longPrograms(in: sources) == [])
  }

  @Test func `no source traps on what the world can do`() {
    #expect(rules.traps(in: sources) == [])
  }

  @Test func `no file outgrows its bound`() throws {
    #expect(rules.longFiles(in: sources + (try SourceFile.all(below: "Tests"))) == [])
  }

  @Test func `every target has a directory, and every directory a target`() throws {
    let directories = Set(try Repository.files(below: "Sources", suffix: "").map(Self.second))
    let targets = Set(manifest.targets.filter { $0.kind != .test }.map(\.name))
    #expect(directories == targets)
  }

  @Test func `every Swift target has its page`() {
    let missing = manifest.targets.filter { $0.kind == .room }
      .map { "Sources/\($0.name)/\($0.name).docc/\($0.name).md" }
      .filter { !Repository.exists($0) }
    #expect(missing == [])
  }

  private static func second(_ path: String) -> String {
    path.split(separator: "/").dropFirst().first.map(String.init) ?? path
  }
}
