import DaemonConfiguration
import Messages
import StorageModel

/// The checks of single fields that several calls share; each throws what is allowed.
enum Fields {
  /// Longest path that the kernel takes (PATH_MAX), its zero byte included.
  static let maximumPathByteCount = 4_096
  /// CSI's bound for strings; names and identifiers.
  static let maximumStringByteCount = 128
  /// CSI's bound for all entries of a map together.
  static let maximumMapByteCount = 4_096

  static func required(_ value: String, _ field: String) throws(CallError) {
    if value.isEmpty { throw .invalid("\(field) is required") }
  }

  /// nil for text that cannot be the identifier of any volume of ours.
  static func volumeID(_ text: String) throws(CallError) -> VolumeID? {
    try required(text, "volume_id")
    return VolumeID(text)
  }

  /// The identifier, or NOT_FOUND for text that cannot be one.
  static func knownVolumeID(_ text: String) throws(CallError) -> VolumeID {
    guard let id = try volumeID(text) else {
      throw .notFound(
        "no volume \"\(shown(text))\": identifiers of volumes are UUIDs")
    }
    return id
  }

  static func volumeName(_ name: String) throws(CallError) {
    try required(name, "name")
    if let fault = VolumeName.fault(in: name) {
      throw .invalid("name \"\(shown(name))\" is not allowed: \(fault)")
    }
  }

  /// The path without a slash at its end. It must be absolute, without `.`, `..`, empty parts or
  /// zero bytes.
  static func path(_ path: String, _ field: String) throws(CallError) -> String {
    try required(path, field)
    if path.utf8.count >= maximumPathByteCount {
      throw .invalid("\(field) has \(path.utf8.count) bytes; at most 4095 are allowed")
    }
    let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
    let parts = trimmed.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    let isProper = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    guard trimmed.hasPrefix("/"), isProper, !trimmed.utf8.contains(0) else {
      throw .invalid(
        "\(field) \"\(shown(path))\" is not allowed: it must be absolute, without empty parts, "
          + "'.', '..' or zero bytes")
    }
    return trimmed
  }

  static func capabilities(_ capabilities: [CSI.VolumeCapability]) throws(CallError) -> [VolumeUse]
  {
    if capabilities.isEmpty { throw .invalid("volume_capabilities is required") }
    var uses: [VolumeUse] = []
    for capability in capabilities { uses.append(try VolumeUse(capability)) }
    return uses
  }

  static func map(_ map: [String: String], _ field: String) throws(CallError) {
    let byteCount = map.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    if byteCount > maximumMapByteCount {
      throw .invalid("\(field) has \(byteCount) bytes; at most \(maximumMapByteCount) are allowed")
    }
  }

  /// Parameters of a StorageClass; unknown ones are refused with the list of the known ones.
  static func parameters(_ parameters: [String: String]) throws(CallError) -> VolumeParameters {
    try map(parameters, "parameters")
    do {
      return try VolumeParameters(parsing: parameters)
    } catch {
      throw .refused(error)
    }
  }

  /// Parameters of a VolumeAttributesClass: there are none that could change.
  static func mutableParameters(_ parameters: [String: String]) throws(CallError) {
    guard let name = parameters.keys.min() else { return }
    throw .invalid(
      "unknown mutable parameter \"\(shown(name))\": no property of a volume can be changed later")
  }

  /// Foreign text for a message: bounded, without control characters.
  static func shown(_ text: String) -> String {
    let safe = text.unicodeScalars.prefix(200).map { scalar in
      scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "?" : Character(scalar)
    }
    return String(safe)
  }
}
