extension Message {
  /// The fields that are set, on one line; secrets as `<redacted>`, bytes as their count.
  package var description: String {
    var describer = FieldDescriber()
    var value = self
    value.visit(&describer)
    let name = Self.wireName.split(separator: ".").last.map(String.init) ?? Self.wireName
    return "\(name)(\(describer.parts.joined(separator: ", ")))"
  }

  package var debugDescription: String { description }

  /// Reflection would show what the description hides.
  package var customMirror: Mirror { Mirror(self, children: [("fields", description)]) }
}

/// Prints fields, never secrets.
private struct FieldDescriber: FieldVisitor {
  typealias Failure = Never

  var parts: [String] = []

  mutating func singular<Value: FieldValue>(_ key: FieldKey, _ value: inout Value) {
    if value != Value.fieldDefault { add(key, text(value)) }
  }

  mutating func optional<Value: FieldValue>(_ key: FieldKey, _ value: inout Value?) {
    if let value { add(key, text(value)) }
  }

  mutating func repeated<Value: FieldValue>(_ key: FieldKey, _ values: inout [Value]) {
    if !values.isEmpty { add(key, "[\(values.map(text).joined(separator: ", "))]") }
  }

  mutating func map(_ key: FieldKey, _ values: inout [String: String]) {
    if values.isEmpty { return }
    let pairs = values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    add(key, "[\(pairs.joined(separator: ", "))]")
  }

  private mutating func add(_ key: FieldKey, _ text: String) {
    parts.append("\(key.name): \(key.isSecret ? "<redacted>" : text)")
  }

  private func text(_ value: some FieldValue) -> String {
    if let bytes = value as? [UInt8] { return "\(bytes.count) bytes" }
    if let string = value as? String { return "\"\(string)\"" }
    return "\(value)"
  }
}
