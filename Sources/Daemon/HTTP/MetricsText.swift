/// Metrics in Prometheus' text format, version 0.0.4.
struct MetricsText {
  enum Kind: String {
    case gauge, counter, histogram, untyped
  }

  private(set) var text = ""
  private var declared: Set<String> = []

  /// Adds a sample; the first of a name is preceded by its help and type.
  mutating func add(
    _ metric: Metric, _ value: Double, _ labels: [(String, String)] = [], suffix: String = ""
  ) {
    if declared.insert(metric.name).inserted {
      text += "# HELP \(metric.name) \(metric.help)\n"
      text += "# TYPE \(metric.name) \(metric.kind.rawValue)\n"
    }
    text += metric.name + suffix
    if !labels.isEmpty {
      text += "{" + labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
    }
    text += " \(Self.shown(value))\n"
  }

  mutating func add(_ metric: Metric, _ value: UInt64, _ labels: [(String, String)] = []) {
    add(metric, Double(value), labels)
  }

  private static func shown(_ value: Double) -> String {
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value) { return "\(whole)" }
    return "\(value)"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
