/// A number of bytes as people write it: `4096`, `256MB`, `1G`, `1.5T`.
///
/// K, M, G, T and P are powers of 1024, with or without a following `B`, `i` or `iB`.
package enum ByteCount {
  /// Throws `Refusal` (invalid) that says what was found and what is allowed.
  package static func parse(_ text: String, what: String = "size") throws(Refusal) -> UInt64 {
    let trimmed = text.filter { $0 != " " && $0 != "_" }
    func refuse(_ reason: String) -> Refusal {
      .invalid("\(what) \"\(text)\" \(reason)")
    }
    if trimmed.first == "-" { throw refuse("is negative; give a positive size such as 1G") }
    let number = trimmed.prefix { $0.isASCII && $0.isNumber || $0 == "." }
    let suffix = trimmed.dropFirst(number.count)
    guard let shift = shift(ofSuffix: suffix), let value = Decimal(number) else {
      throw refuse("is not a size; write a number with an optional K, M, G or T, such as 512M")
    }
    guard let bytes = value.shifted(left: shift) else {
      throw refuse("is too large; the largest size is 8191P")
    }
    return bytes
  }

  /// The largest unit in which the number is short: `1.0 GB`, as `vfs status` prints it.
  package static func format(_ bytes: UInt64) -> String {
    let units = ["bytes", "KB", "MB", "GB", "TB", "PB"]
    var unit = 0
    while unit < units.count - 1, bytes >> UInt64(10 * (unit + 1)) > 0 { unit += 1 }
    if unit == 0 { return "\(bytes) bytes" }
    // Tenths of the unit, rounded.
    let (high, low) = bytes.multipliedFullWidth(by: 10)
    let unitBytes: UInt64 = 1 << UInt64(10 * unit)
    let (tenths, remainder) = unitBytes.dividingFullWidth((high, low))
    let rounded = tenths + (remainder >> UInt64(10 * unit - 1))
    return "\(rounded / 10).\(rounded % 10) \(units[unit])"
  }

  private static func shift(ofSuffix suffix: Substring) -> UInt64? {
    switch suffix.uppercased() {
    case "", "B": 0
    case "K", "KB", "KI", "KIB": 10
    case "M", "MB", "MI", "MIB": 20
    case "G", "GB", "GI", "GIB": 30
    case "T", "TB", "TI", "TIB": 40
    case "P", "PB", "PI", "PIB": 50
    default: nil
    }
  }

  /// Digits with at most one point, exact for what fits.
  private struct Decimal {
    var digits: UInt64 = 0
    var scale: UInt64 = 1

    init?(_ text: Substring) {
      var afterPoint = false
      guard text.first?.isNumber == true else { return nil }
      for character in text {
        if character == "." {
          if afterPoint { return nil }
          afterPoint = true
          continue
        }
        guard let digit = character.wholeNumberValue else { return nil }
        let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
        if overflow || carry { return nil }
        digits = sum
        if afterPoint {
          if scale > 1_000_000 { return nil }
          scale *= 10
        }
      }
    }

    /// nil beyond Int64.max: sizes travel as signed numbers in CSI.
    func shifted(left shift: UInt64) -> UInt64? {
      let (high, low) = digits.multipliedFullWidth(by: 1 << shift)
      guard high < scale else { return nil }
      let (quotient, _) = scale.dividingFullWidth((high, low))
      return quotient <= UInt64(Int64.max) ? quotient : nil
    }
  }
}
