import CProtoMessages
import Messages
import Testing

/// Notes the fields of a message as its value shows them.
struct FieldLister: FieldVisitor {
  typealias Failure = Never

  enum Shape {
    case singular
    case optional
    case repeated
    case map

    var isRepeated: Bool { self == .repeated || self == .map }
  }

  var keys: [FieldKey] = []
  var shapes: [UInt32: (Shape, [ProtobufCType])] = [:]

  mutating func singular<Value: FieldValue>(_ key: FieldKey, _ value: inout Value) {
    note(key, .singular, Value.wireTypes)
  }

  mutating func optional<Value: FieldValue>(_ key: FieldKey, _ value: inout Value?) {
    note(key, .optional, Value.wireTypes)
  }

  mutating func repeated<Value: FieldValue>(_ key: FieldKey, _ values: inout [Value]) {
    note(key, .repeated, Value.wireTypes)
  }

  mutating func map(_ key: FieldKey, _ values: inout [String: String]) {
    note(key, .map, [PROTOBUF_C_TYPE_MESSAGE])
  }

  private mutating func note(_ key: FieldKey, _ shape: Shape, _ types: [ProtobufCType]) {
    keys.append(key)
    shapes[key.number] = (shape, types)
  }
}

/// Fills a message with random values, every field more often than not.
struct FieldFiller: FieldVisitor {
  typealias Failure = Never

  var generator: SeededGenerator

  mutating func singular<Value: FieldValue>(_ key: FieldKey, _ value: inout Value) {
    value = random(Value.self)
  }

  mutating func optional<Value: FieldValue>(_ key: FieldKey, _ value: inout Value?) {
    if Int.random(in: 0..<4, using: &generator) > 0 { value = random(Value.self) }
  }

  mutating func repeated<Value: FieldValue>(_ key: FieldKey, _ values: inout [Value]) {
    values = (0..<Int.random(in: 0...3, using: &generator)).map { _ in random(Value.self) }
  }

  mutating func map(_ key: FieldKey, _ values: inout [String: String]) {
    for _ in 0..<Int.random(in: 0...3, using: &generator) {
      values[random(String.self)] = random(String.self)
    }
  }

  private mutating func random<Value: FieldValue>(_ type: Value.Type) -> Value {
    let value: Any
    switch type {
    case let message as any Message.Type: value = filled(message)
    case let open as any OpenEnum.Type:
      value = open.init(rawValue: .random(in: 0...9, using: &generator))
    case is Int32.Type: value = Int32.random(in: .min ... .max, using: &generator)
    case is Int64.Type: value = Int64.random(in: .min ... .max, using: &generator)
    case is UInt32.Type: value = UInt32.random(in: .min ... .max, using: &generator)
    case is UInt64.Type: value = UInt64.random(in: .min ... .max, using: &generator)
    case is Float.Type: value = Float.random(in: -1...1, using: &generator)
    case is Double.Type: value = Double.random(in: -1...1, using: &generator)
    case is Bool.Type: value = Bool.random(using: &generator)
    case is String.Type: value = text()
    default: value = bytes()
    }
    guard let value = value as? Value else {
      Issue.record("no random \(type)")
      return Value.fieldDefault
    }
    return value
  }

  private mutating func filled<M: Message>(_ type: M.Type) -> M {
    var message = M()
    message.visit(&self)
    return message
  }

  private mutating func text() -> String {
    let letters: [Character] = ["a", "Z", "/", "\0", "é", "🚢", " ", "9"]
    let count = [0, 1, 7, 200].randomElement(using: &generator) ?? 0
    return String((0..<count).map { _ in letters.randomElement(using: &generator) ?? "x" })
  }

  private mutating func bytes() -> [UInt8] {
    (0..<Int.random(in: 0...20, using: &generator)).map { _ in
      .random(in: 0...255, using: &generator)
    }
  }
}

/// The same numbers for the same seed: xorshift64*.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

func listFields<M: Message>(of type: M.Type) -> FieldLister {
  var lister = FieldLister()
  var message = M()
  message.visit(&lister)
  return lister
}

func random<M: Message>(_ type: M.Type, _ generator: inout SeededGenerator) -> M {
  var filler = FieldFiller(generator: generator)
  var message = M()
  message.visit(&filler)
  generator = filler.generator
  return message
}

func roundTrip<M: Message>(_ type: M.Type, _ generator: inout SeededGenerator) throws {
  let message = random(type, &generator)
  let bytes = message.serializedBytes()
  let back = try M(serializedBytes: bytes)
  #expect(back == message)
  #expect(back.serializedBytes() == bytes)
}

/// Tries each truncation and a flip of each byte, of messages short enough.
func mangle<M: Message>(_ type: M.Type, _ generator: inout SeededGenerator) throws {
  let bytes = Array(random(type, &generator).serializedBytes().prefix(600))
  for count in bytes.indices { _ = try? M(serializedBytes: Array(bytes[..<count])) }
  for index in bytes.indices {
    var flipped = bytes
    flipped[index] ^= UInt8.random(in: 1...255, using: &generator)
    if let message = try? M(serializedBytes: flipped) {
      #expect(try M(serializedBytes: message.serializedBytes()) == message)
    }
  }
}
