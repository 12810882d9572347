/// Keys and values that travel before and after the messages of a call, in order.
///
/// Keys are lower-case ASCII. A key that ends in `-bin` has a value of any bytes, any other one a
/// value of printable ASCII; a key may occur more than once.
package struct GRPCMetadata: Hashable, Sendable, ExpressibleByDictionaryLiteral {
  package struct Entry: Hashable, Sendable {
    package let key: String
    package let value: [UInt8]
  }

  package internal(set) var entries: [Entry]

  package init() { entries = [] }

  package init(dictionaryLiteral elements: (String, String)...) {
    entries = elements.map { Entry(key: $0, value: Array($1.utf8)) }
  }

  package var isEmpty: Bool { entries.isEmpty }

  package mutating func add(_ key: String, _ value: String) {
    entries.append(Entry(key: key, value: Array(value.utf8)))
  }

  /// For keys that end in `-bin`.
  package mutating func add(_ key: String, _ value: [UInt8]) {
    entries.append(Entry(key: key, value: value))
  }

  /// The first value under the key, as text.
  package func text(_ key: String) -> String? {
    bytes(key).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The first value under the key.
  package func bytes(_ key: String) -> [UInt8]? { entries.first { $0.key == key }?.value }

  /// All values under the key.
  package func all(_ key: String) -> [[UInt8]] {
    entries.filter { $0.key == key }.map(\.value)
  }

  /// Removes and returns all values under the key.
  package mutating func removeAll(_ key: String) -> [[UInt8]] {
    let values = all(key)
    entries.removeAll { $0.key == key }
    return values
  }
}
