/// Writes a tree as JSON or as YAML, both indented by two spaces, with a final newline.
enum OutputWriter {
  static func json(_ value: OutputValue) -> String {
    var text = ""
    writeJSON(value, indent: "", to: &text)
    return text + "\n"
  }

  static func yaml(_ value: OutputValue) -> String {
    var text = ""
    writeYAML(value, indent: "", isItem: false, to: &text)
    return text
  }

  private static func writeJSON(_ value: OutputValue, indent: String, to text: inout String) {
    let inner = indent + "  "
    switch value {
    case .list(let items) where !items.isEmpty:
      text += "["
      for (index, item) in items.enumerated() {
        text += (index == 0 ? "\n" : ",\n") + inner
        writeJSON(item, indent: inner, to: &text)
      }
      text += "\n\(indent)]"
    case .object(let entries) where !entries.isEmpty:
      text += "{"
      for (index, entry) in entries.enumerated() {
        text += (index == 0 ? "\n" : ",\n") + inner + quoted(entry.key) + ": "
        writeJSON(entry.value, indent: inner, to: &text)
      }
      text += "\n\(indent)}"
    default: text += inline(value)
    }
  }

  /// Every value ends with a newline.
  private static func writeYAML(
    _ value: OutputValue, indent: String, isItem: Bool, to text: inout String
  ) {
    switch value {
    case .list(let items) where !items.isEmpty:
      for (index, item) in items.enumerated() {
        text += (isItem && index == 0 ? "" : indent) + "- "
        writeYAML(item, indent: indent + "  ", isItem: true, to: &text)
      }
    case .object(let entries) where !entries.isEmpty:
      for (index, entry) in entries.enumerated() {
        text += (isItem && index == 0 ? "" : indent) + yamlText(entry.key) + ":"
        writeYAMLMember(entry.value, indent: indent, to: &text)
      }
    default: text += yamlInline(value) + "\n"
    }
  }

  private static func writeYAMLMember(
    _ value: OutputValue, indent: String, to text: inout String
  ) {
    switch value {
    case .list(let items) where !items.isEmpty:
      text += "\n"
      writeYAML(value, indent: indent + "  ", isItem: false, to: &text)
    case .object(let entries) where !entries.isEmpty:
      text += "\n"
      writeYAML(value, indent: indent + "  ", isItem: false, to: &text)
    default: text += " " + yamlInline(value) + "\n"
    }
  }

  private static func inline(_ value: OutputValue) -> String {
    switch value {
    case .null: "null"
    case .truth(let truth): truth ? "true" : "false"
    case .number(let digits): digits
    case .text(let text): quoted(text)
    case .list: "[]"
    case .object: "{}"
    }
  }

  private static func yamlInline(_ value: OutputValue) -> String {
    if case .text(let text) = value { return yamlText(text) }
    return inline(value)
  }

  /// Plain where YAML cannot take it for anything else; JSON's quotes are YAML's too.
  private static func yamlText(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "."), UInt8(ascii: "/"):
        true
      default: false
      }
    }
    let words: Set<String> = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
    guard isPlain, let first = text.utf8.first,
      UInt8(ascii: "A") <= first || first == UInt8(ascii: "/"),
      !words.contains(text.lowercased())
    else { return quoted(text) }
    return text
  }

  /// A JSON string (RFC 8259 section 7).
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
