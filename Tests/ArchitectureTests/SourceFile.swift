/// One Swift file, as text without comments.
struct SourceFile {
  let path: String
  /// Directory under `Sources` or `Tests`: the target.
  let target: String
  let lineCount: Int
  /// Lines without comments, numbered from 1.
  let code: [(number: Int, text: Substring)]
  /// Generated files carry swift-format's ignore-file header.
  let isGenerated: Bool

  init(path: String, text: String) {
    self.path = path
    target = String(path.split(separator: "/").dropFirst().first ?? "")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    lineCount = lines.count - (lines.last?.isEmpty == true ? 1 : 0)
    isGenerated = lines.prefix(5).contains { $0.contains("swift-format-ignore-file") }
    code = lines.enumerated().map { (number: $0.offset + 1, text: Self.withoutComment($0.element)) }
  }

  static func all(below directory: String) throws -> [SourceFile] {
    try Repository.files(below: directory, suffix: ".swift").map {
      SourceFile(path: $0, text: try Repository.text($0))
    }
  }

  /// The modules that the file imports.
  var imports: [String] {
    code.compactMap { line in
      var words = line.text.split(separator: " ")[...]
      while let word = words.first, word.hasPrefix("@") || Self.importModifiers.contains(word) {
        words = words.dropFirst()
      }
      guard words.first == "import", var name = words.dropFirst().first else { return nil }
      if Self.importKinds.contains(name) { name = words.dropFirst(2).first ?? name }
      return String(name.prefix { $0 != "." })
    }
  }

  /// Numbers of the lines whose code contains `text`.
  func lines(containing text: String) -> [Int] {
    code.filter { $0.text.contains(text) }.map(\.number)
  }

  private static let importModifiers: Set<Substring> = ["package", "public", "internal", "private"]
  private static let importKinds: Set<Substring> = [
    "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
  ]

  private static func withoutComment(_ line: Substring) -> Substring {
    var previous: Character?
    for index in line.indices {
      // `https://` in a string is no comment.
      if line[index] == "/", previous == "/" {
        let start = line.index(before: index)
        if start == line.startIndex || line[line.index(before: start)] != ":" {
          return line[..<start]
        }
      }
      previous = line[index]
    }
    return line
  }
}
