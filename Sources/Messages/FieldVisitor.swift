/// Which field of a message.
package struct FieldKey: Hashable, Sendable {
  package let number: UInt32
  /// As in the .proto file.
  package let name: String
  /// Never printed.
  package let isSecret: Bool

  package init(_ number: UInt32, _ name: String, isSecret: Bool = false) {
    self.number = number
    self.name = name
    self.isSecret = isSecret
  }
}

/// What walks a message's fields: the reader, the writer, the describer, and those of the tests.
package protocol FieldVisitor {
  /// `Never` for visitors that cannot fail.
  associatedtype Failure: Error

  /// A field without presence: its default is the same as its absence.
  mutating func singular<Value: FieldValue>(
    _ key: FieldKey, _ value: inout Value) throws(Failure)

  /// A message, or a member of a oneof: nil is absence.
  mutating func optional<Value: FieldValue>(
    _ key: FieldKey, _ value: inout Value?) throws(Failure)

  mutating func repeated<Value: FieldValue>(
    _ key: FieldKey, _ values: inout [Value]) throws(Failure)

  /// `map<string, string>`, the only map that we use.
  mutating func map(_ key: FieldKey, _ values: inout [String: String]) throws(Failure)
}

extension FieldVisitor {
  /// A member of a oneof, which Swift holds as a case with its value.
  package mutating func choice<Choice, Value: FieldValue>(
    _ key: FieldKey, _ choice: inout Choice?, _ wrap: (Value) -> Choice,
    _ unwrap: (Choice) -> Value?
  ) throws(Failure) {
    let before = choice.flatMap(unwrap)
    var value = before
    try optional(key, &value)
    if let value, value != before { choice = wrap(value) }
  }
}
