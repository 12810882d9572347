internal import TOMLKit

/// The daemon's configuration file: TOML with the sections of `Setting`.
package enum ConfigurationFile {
  /// The settings that the text gives.
  ///
  /// Throws `Refusal` (invalid) for bad TOML (with the line), an unknown section or key (with the
  /// nearest known one) and a value of the wrong type.
  package static func parse(_ text: String, path: String) throws(Refusal) -> [Setting: SettingValue]
  {
    let document: TOMLTable
    do {
      document = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw .invalid(
        "\(path), line \(error.source.begin.line), column \(error.source.begin.column): "
          + "not TOML: \(error.description)")
    } catch {
      throw .invalid("\(path) is not TOML: \(error)")
    }
    var values: [Setting: SettingValue] = [:]
    for section in document.keys {
      guard sections.contains(section) else {
        throw .invalid("\(path): unknown section [\(section)]; \(advice(section: section))")
      }
      guard let table = document[section]?.table else {
        throw .invalid("\(path): \(section) must be a section, written [\(section)]")
      }
      for key in table.keys {
        guard let setting = Setting(rawValue: "\(section).\(key)") else {
          throw .invalid(
            "\(path): unknown key \"\(key)\" in [\(section)]; \(advice(key: key, in: section))")
        }
        guard let found = table[key] else { continue }
        values[setting] = try value(of: found, for: setting, path: path)
      }
    }
    return values
  }

  private static let sections = Set(Setting.allCases.map(\.section))

  private static func advice(section: String) -> String {
    if let setting = Setting.allCases.first(where: { $0.key == section }) {
      return "\(section) belongs into [\(setting.section)]"
    }
    return NearestWord.advice(for: section, among: sections)
  }

  private static func advice(key: String, in section: String) -> String {
    if let setting = Setting.allCases.first(where: { $0.key == key }) {
      return "it belongs into [\(setting.section)]"
    }
    let siblings = Setting.allCases.filter { $0.section == section }.map(\.key)
    return NearestWord.advice(for: key, among: siblings)
  }

  private static func value(
    of found: any TOMLValueConvertible, for setting: Setting, path: String
  ) throws(Refusal) -> SettingValue {
    let source = SettingValue.Source.file(path)
    func wrongType(_ expected: String) -> Refusal {
      .invalid(
        "\(path): \(setting.rawValue) must be \(expected), found \(found.type) "
          + found.debugDescription)
    }
    switch setting.kind {
    case .text:
      guard let text = found.string else { throw wrongType("a text in quotes") }
      return SettingValue(text, from: source)
    case .number:
      guard let number = found.int else { throw wrongType("a whole number") }
      return SettingValue("\(number)", from: source)
    case .size:
      if let number = found.int { return SettingValue("\(number)", from: source) }
      guard let text = found.string else { throw wrongType("a size such as \"256MB\"") }
      return SettingValue(text, from: source)
    case .truth:
      guard let truth = found.bool else { throw wrongType("true or false") }
      return SettingValue(truth ? "true" : "false", from: source)
    case .list:
      guard let array = found.array else { throw wrongType("a list of texts") }
      var items: [String] = []
      for index in 0..<array.count {
        guard let item = array[index].string else { throw wrongType("a list of texts") }
        items.append(item)
      }
      return SettingValue(items: items, from: source)
    }
  }
}
