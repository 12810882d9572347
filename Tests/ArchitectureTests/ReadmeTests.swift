import Testing

/// The README's table of targets is the manifest's.
struct ReadmeTests {
  @Test func `the README draws the layers as Package.swift has them`() throws {
    let manifest = try Manifest(text: try Repository.text("Package.swift"))
    #expect(Self.layers(in: try Repository.text("README.md")) == manifest.layers)
  }

  @Test func `the files and commands that the README names exist`() throws {
    let missing = Self.paths(in: try Repository.text("README.md")).filter {
      !Repository.exists($0)
    }
    #expect(missing == [])
  }

  /// Rows such as `| L3 | `VFS` `StorageEngine` | … |`.
  private static func layers(in text: String) -> [Int: Set<String>] {
    var layers: [Int: Set<String>] = [:]
    for line in text.split(separator: "\n") {
      let cells = line.split(separator: "|").map { $0.split(separator: " ") }
      guard cells.count == 3, let head = cells[0].first, head.hasPrefix("L"),
        let layer = Int(head.dropFirst())
      else { continue }
      layers[layer] = Set(cells[1].map { String($0.filter { $0 != "`" }) })
    }
    return layers
  }

  /// Words that begin with a directory of ours; placeholders and pages left out.
  private static func paths(in text: String) -> Set<String> {
    let directories = ["Sources/", "Tests/", "Deploy/", "Helm/", "Proto/"]
    let words = text.split { " `\n(),;:".contains($0) }
    return Set(
      words.filter { word in
        directories.contains { word.hasPrefix($0) } && !word.contains("<")
          && !word.contains(".docc")
      }.map { word in String(word.last == "." ? word.dropLast() : word) })
  }
}
