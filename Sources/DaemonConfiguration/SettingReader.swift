internal import StorageModel

/// Turns merged texts into checked values and collects everything that is wrong with them.
struct SettingReader {
  let values: [Setting: SettingValue]
  private(set) var faults: [String] = []

  init(values: [Setting: SettingValue]) {
    self.values = values
  }

  /// Notes that a setting's value is not acceptable: `reason` continues its name and value.
  mutating func fault(_ setting: Setting, _ reason: String) {
    let value = values[setting]
    let source = value.map { "\($0.source)" } ?? "default"
    let fault = "\(setting.key) = \"\(value?.text ?? "")\" (\(source)) \(reason)"
    if !faults.contains(fault) { faults.append(fault) }
  }

  /// nil if unset or empty.
  func text(_ setting: Setting) -> String? {
    guard let text = values[setting]?.text, !text.isEmpty else { return nil }
    return text
  }

  mutating func name(_ setting: Setting) -> String? {
    guard let text = text(setting) else { return nil }
    if let reason = VolumeName.fault(in: text) { fault(setting, "is not a name: \(reason)") }
    return text
  }

  mutating func truth(_ setting: Setting) -> Bool? {
    guard let text = text(setting) else { return nil }
    switch text.lowercased() {
    case "true", "yes", "on", "1": return true
    case "false", "no", "off", "0": return false
    default:
      fault(setting, "must be true or false")
      return nil
    }
  }

  mutating func number(_ setting: Setting, in bounds: ClosedRange<Int>) -> Int {
    guard let number = Int(text(setting) ?? ""), bounds.contains(number) else {
      fault(setting, "must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
      return bounds.lowerBound
    }
    return number
  }

  mutating func size(_ setting: Setting, in bounds: ClosedRange<UInt64>) -> UInt64 {
    do throws(Refusal) {
      let size = try ByteCount.parse(text(setting) ?? "", what: setting.key)
      if bounds.contains(size) { return size }
      fault(
        setting,
        "must lie between \(ByteCount.format(bounds.lowerBound)) and "
          + ByteCount.format(bounds.upperBound))
    } catch {
      faults.append(error.message)
    }
    return bounds.lowerBound
  }

  mutating func blockSize(_ setting: Setting) -> BlockSize {
    let count = (try? ByteCount.parse(text(setting) ?? "")) ?? 0  // 0 is no block size either
    if let size = Int(exactly: count).flatMap({ BlockSize(byteCount: $0) }) { return size }
    fault(
      setting,
      "must be a power of two from \(BlockSize.minimumByteCount) to \(BlockSize.maximumByteCount)")
    return .standard
  }

  /// One of an enumeration's raw values, in any case.
  mutating func choice<Choice: RawRepresentable & CaseIterable>(_ setting: Setting) -> Choice?
  where Choice.RawValue == String {
    guard let text = text(setting) else { return nil }
    if let choice = Choice.allCases.first(where: { $0.rawValue == text.lowercased() }) {
      return choice
    }
    fault(
      setting, "must be one of: \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    return nil
  }

  mutating func address(_ setting: Setting) -> NetworkAddress? {
    guard let text = text(setting) else { return nil }
    return address(text, of: setting)
  }

  mutating func addresses(_ setting: Setting) -> [NetworkAddress] {
    let items = values[setting]?.items ?? []
    var addresses: [NetworkAddress] = []
    for item in items {
      guard let address = address(item, of: setting) else { continue }
      if address.port == 0 { fault(setting, "has \(address): a peer's port cannot be 0") }
      addresses.append(address)
    }
    return addresses
  }

  private mutating func address(_ text: String, of setting: Setting) -> NetworkAddress? {
    do throws(Refusal) {
      return try NetworkAddress(parsing: text, what: setting.key)
    } catch {
      faults.append(
        "\(error.message) (from \(values[setting].map { "\($0.source)" } ?? "default"))")
      return nil
    }
  }

  /// The path in `unix:///path` or `unix:/path`, or a bare absolute path.
  mutating func socketPath(_ setting: Setting) -> String? {
    guard let text = text(setting) else { return nil }
    var path = Substring(text)
    if path.hasPrefix("unix:") {
      path = path.dropFirst("unix:".count)
      if path.hasPrefix("//") { path = path.dropFirst(2) }
    }
    guard path.hasPrefix("/"), path.count > 1 else {
      fault(setting, "must be a Unix socket such as unix:///run/galleonfs/csi.sock")
      return nil
    }
    // sun_path of sockaddr_un (unix(7)) has 108 bytes, the last of them a zero.
    guard path.utf8.count <= 107 else {
      fault(setting, "is too long: a socket's path has at most 107 bytes")
      return nil
    }
    return String(path)
  }

  /// etcd endpoints as `HOST:PORT`, with or without `http://`.
  mutating func endpoints(_ setting: Setting) -> [String] {
    var endpoints: [String] = []
    for item in values[setting]?.items ?? [] {
      var rest = Substring(item)
      if rest.hasPrefix("https://") {
        fault(setting, "asks for https, which is not supported for etcd yet; use http://")
        continue
      }
      if rest.hasPrefix("http://") { rest = rest.dropFirst("http://".count) }
      if rest.hasSuffix("/") { rest = rest.dropLast() }
      if let address = address(String(rest), of: setting) { endpoints.append("\(address)") }
    }
    return endpoints
  }

  mutating func tls() -> DaemonConfiguration.TLSFiles? {
    guard truth(.tlsEnabled) == true else { return nil }
    guard let certificate = text(.tlsCertificateFile), let key = text(.tlsKeyFile) else {
      fault(.tlsEnabled, "needs --tls-certificate-file and --tls-key-file")
      return nil
    }
    return .init(certificate: certificate, key: key, authority: text(.tlsAuthorityFile))
  }
}
