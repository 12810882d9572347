/// What Package.swift says of the targets and their layers, read from its text: asking SwiftPM
/// from inside a test would wait for the lock that the test run holds.
struct Manifest {
  enum Kind: Equatable {
    case room
    case program
    case cLibrary
    case test
  }

  struct Target: Equatable {
    let name: String
    let kind: Kind
    /// The number after `// L` in the comment above; nil for tests.
    let layer: Int?
    /// Names of our own targets.
    let dependencies: [String]
    /// Constants that stand for products of other packages, such as `logging`.
    let products: [String]
  }

  let targets: [Target]

  init(text: String) throws {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasPrefix("  targets: [") }),
      let end = lines[start...].firstIndex(where: { $0.hasPrefix("  ]") })
    else { throw Malformed(reason: "no line `  targets: [` with its `  ]`") }
    var found: [Target] = []
    var layer: Int?
    var element = ""
    for line in lines[(start + 1)..<end] {
      let trimmed = line.drop { $0 == " " }
      if trimmed.hasPrefix("//") {
        if let number = Self.layer(in: trimmed) { layer = number }
        if trimmed.hasPrefix("// Tests") { layer = nil }
        continue
      }
      element += trimmed
      guard element.filter({ $0 == "(" }).count == element.filter({ $0 == ")" }).count
      else { continue }
      if !element.isEmpty { found.append(try Self.target(element, layer: layer)) }
      element = ""
    }
    guard element.isEmpty else { throw Malformed(reason: "parentheses do not match: \(element)") }
    targets = found
  }

  subscript(name: String) -> Target? { targets.first { $0.name == name } }

  /// Targets by layer, tests left out.
  var layers: [Int: Set<String>] {
    var layers: [Int: Set<String>] = [:]
    for target in targets {
      if let layer = target.layer { layers[layer, default: []].insert(target.name) }
    }
    return layers
  }

  struct Malformed: Error {
    let reason: String
  }

  /// The number in a comment such as `// L3: the logic`.
  private static func layer(in comment: Substring) -> Int? {
    guard comment.hasPrefix("// L"), let colon = comment.firstIndex(of: ":") else { return nil }
    return Int(comment[..<colon].dropFirst(4))
  }

  private static func target(_ element: String, layer: Int?) throws -> Target {
    let kinds: [(String, Kind)] = [
      ("room(", .room), ("program(", .program), ("tests(of:", .test), (".testTarget(", .test),
      (".systemLibrary(", .cLibrary), (".target(", .cLibrary),
    ]
    guard let kind = kinds.first(where: { element.hasPrefix($0.0) })?.1 else {
      throw Malformed(reason: "an unknown kind of target: \(element)")
    }
    let quoted = Self.quoted(element)
    guard let first = quoted.first else { throw Malformed(reason: "no name: \(element)") }
    let isTest = kind == .test
    if !isTest, layer == nil { throw Malformed(reason: "\(first) stands under no layer") }
    let ofRoom = element.hasPrefix("tests(of:")
    return Target(
      name: ofRoom ? "\(first)Tests" : first, kind: kind, layer: isTest ? nil : layer,
      dependencies: kind == .cLibrary ? [] : Array(ofRoom ? quoted[...] : quoted.dropFirst()),
      products: kind == .cLibrary ? [] : Self.products(element))
  }

  /// The strings between quotation marks.
  private static func quoted(_ text: String) -> [String] {
    text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
  }

  /// The bare words inside the brackets of the dependencies.
  private static func products(_ element: String) -> [String] {
    guard let open = element.firstIndex(of: "["), let close = element.lastIndex(of: "]")
    else { return [] }
    return element[element.index(after: open)..<close].split(separator: ",")
      .map { String($0.drop { $0 == " " }) }
      .filter { !$0.isEmpty && !$0.contains("\"") && !$0.contains(":") }
  }
}
