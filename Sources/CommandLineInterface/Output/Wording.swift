internal import DaemonConfiguration
internal import Messages

/// How numbers, times and messages read in tables.
enum Wording {
  /// `1,247`
  static func grouped(_ number: UInt64) -> String {
    let digits = Array("\(number)")
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return text
  }

  /// `1.0 GB`
  static func size(_ bytes: UInt64) -> String { ByteCount.format(bytes) }

  /// `1073741824 bytes (1.0 GB)`
  static func exactSize(_ bytes: UInt64) -> String {
    bytes < 1024 ? "\(bytes) bytes" : "\(bytes) bytes (\(size(bytes)))"
  }

  /// `2024-01-15 10:30:15 UTC`, or `never`.
  static func time(_ time: WellKnown.Timestamp?) -> String {
    time.map { CivilTime($0).text } ?? "never"
  }

  /// Indented `Name: value` lines; entries without a value are left out.
  static func details(_ entries: [(String, String)], indent: String = "  ") -> String {
    entries.filter { !$0.1.isEmpty }.map { "\(indent)\($0.0): \($0.1)\n" }.joined()
  }

  /// `one volume`, `3 volumes`.
  static func count(_ number: Int, _ word: String) -> String {
    "\(number) \(word)\(number == 1 ? "" : "s")"
  }
}
