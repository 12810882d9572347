internal import Messages

/// What a command prints as JSON or YAML: a tree with ordered keys.
indirect enum OutputValue: Hashable, Sendable {
  case null
  case truth(Bool)
  case number(String)
  case text(String)
  case list([OutputValue])
  case object([Entry])

  struct Entry: Hashable, Sendable {
    var key: String
    var value: OutputValue
  }

  /// The message as users see it: keys as in the protocol, enumerations as single words
  /// (`WaitForFirstConsumer`), times as `2024-01-15T10:30:15Z`.
  init(_ message: some Message) {
    self = MessageTree.object(of: message)
  }
}

extension OutputValue {
  /// An object less some of its keys.
  func without(_ keys: Set<String>) -> OutputValue {
    guard case .object(let entries) = self else { return self }
    return .object(entries.filter { !keys.contains($0.key) })
  }
}

/// Builds the tree of a message by visiting its fields.
private struct MessageTree: FieldVisitor {
  var entries: [OutputValue.Entry] = []

  static func object<M: Message>(of message: M) -> OutputValue {
    if let time = message as? WellKnown.Timestamp { return .text(CivilTime(time).iso) }
    var copy = message
    var tree = MessageTree()
    // This visitor throws nothing.
    try? copy.visit(&tree)
    return .object(tree.entries)
  }

  mutating func singular<Value: FieldValue>(
    _ key: FieldKey, _ value: inout Value
  ) throws(MessageError) { add(key, Self.tree(of: value)) }

  mutating func optional<Value: FieldValue>(
    _ key: FieldKey, _ value: inout Value?
  ) throws(MessageError) { add(key, value.map { Self.tree(of: $0) } ?? .null) }

  mutating func repeated<Value: FieldValue>(
    _ key: FieldKey, _ values: inout [Value]
  ) throws(MessageError) { add(key, .list(values.map { Self.tree(of: $0) })) }

  mutating func map(_ key: FieldKey, _ values: inout [String: String]) throws(MessageError) {
    let sorted = values.sorted { $0.key < $1.key }
    add(key, .object(sorted.map { .init(key: $0.key, value: .text($0.value)) }))
  }

  private mutating func add(_ key: FieldKey, _ value: OutputValue) {
    if key.isSecret { return }
    entries.append(.init(key: key.name, value: value))
  }

  private static func tree(of value: some FieldValue) -> OutputValue {
    switch value {
    case let message as any Message: object(of: message)
    case let choice as any OpenEnum: .text(choice.word)
    case let text as String: .text(text)
    case let truth as Bool: .truth(truth)
    default: .number("\(value)")
    }
  }
}

extension OpenEnum {
  /// The name for people: `VOLUME_STATE_IN_USE` is `InUse`; `Unknown` for what says nothing.
  var word: String {
    if rawValue == 0 { return "Unknown" }
    if wireName == "ENCRYPTION_ALGORITHM_AES_256_GCM" { return "AES-256-GCM" }
    let words = wireName.split(separator: "_").map(String.init)
    let typeWords = Self(rawValue: 0).wireName.split(separator: "_").dropLast()
    return words.dropFirst(min(typeWords.count, words.count - 1))
      .map { $0.prefix(1) + $0.dropFirst().lowercased() }.joined()
  }
}
