package import StorageModel
internal import Yams

/// Storage classes as files: JSON or YAML with the keys that the service always had.
package enum StorageClassFile {
  /// The provisioner of a class that names none.
  package static let standardProvisioner = "csi.galleonfs.io"

  private enum Key: String, CaseIterable {
    case name, provisioner, parameters
    case reclaimPolicy = "reclaim_policy"
    case bindingMode = "volume_binding_mode"
    case allowedTopologies = "allowed_topologies"
    case mountOptions = "mount_options"
  }

  /// Reads a class; JSON is read as the YAML that it is.
  ///
  /// Throws `Refusal` (invalid) for what is not a map, unknown keys (with the nearest known),
  /// wrong types and values, and parameters that no class can have.
  package static func parse(_ text: String, path: String) throws(Refusal) -> StorageClass {
    let entries = try topLevel(text, path: path)
    guard let name = entries[.name]?.scalar?.string else {
      throw .invalid("\(path): the class needs a \"name\"")
    }
    let storageClass = StorageClass(
      name: name,
      provisioner: try scalar(entries, .provisioner, path) ?? standardProvisioner,
      parameters: try parameters(entries[.parameters], path),
      reclaimPolicy: try choice(entries, .reclaimPolicy, path) ?? .delete,
      bindingMode: try choice(entries, .bindingMode, path) ?? .immediate,
      allowedTopologies: try list(entries, .allowedTopologies, path),
      mountOptions: try list(entries, .mountOptions, path))
    do {
      try check(storageClass)
    } catch {
      throw .invalid("\(path): \(error.message)")
    }
    return storageClass
  }

  /// Whether a class, from wherever it comes, can exist at all. Whether this cluster can honour
  /// it shows when a volume of it is asked for.
  package static func check(_ storageClass: StorageClass) throws(Refusal) {
    if let fault = VolumeName.fault(in: storageClass.name) {
      throw .invalid("class name \"\(storageClass.name.prefix(200))\" is not allowed: \(fault)")
    }
    let provisioner = storageClass.provisioner
    guard provisioner == standardProvisioner || provisioner.hasPrefix("galleonfs.io/") else {
      throw .invalid(
        "provisioner \"\(provisioner)\" is not ours; use \(standardProvisioner) or "
          + "galleonfs.io/<kind>, such as galleonfs.io/distributed")
    }
    _ = try VolumeParameters(parsing: storageClass.parameters)
    _ = try MountOptions(parsing: storageClass.mountOptions)
    for topology in storageClass.allowedTopologies {
      if let fault = VolumeName.fault(in: topology) {
        throw .invalid("allowed topology \"\(topology)\" is not the name of a zone: \(fault)")
      }
    }
  }

  private static func topLevel(_ text: String, path: String) throws(Refusal) -> [Key: Node] {
    let node: Node?
    do {
      node = try compose(yaml: text)
    } catch {
      throw .invalid("\(path) is neither JSON nor YAML: \(error)")
    }
    guard let mapping = node?.mapping else {
      throw .invalid("\(path): expected a map with name, provisioner, parameters and so on")
    }
    var entries: [Key: Node] = [:]
    for (keyNode, value) in mapping {
      let word = keyNode.scalar?.string ?? ""
      guard let key = Key(rawValue: snakeCase(word)) else {
        throw .invalid(
          "\(path): unknown key \"\(word)\"; "
            + NearestWord.advice(for: word, among: Key.allCases.map(\.rawValue)))
      }
      if entries[key] != nil { throw .invalid("\(path): \(key.rawValue) is given twice") }
      entries[key] = value
    }
    return entries
  }

  private static func parameters(_ node: Node?, _ path: String) throws(Refusal) -> [String: String]
  {
    guard let node else { return [:] }
    guard let mapping = node.mapping else {
      throw .invalid("\(path): parameters must be a map of names to texts")
    }
    var parameters: [String: String] = [:]
    for (keyNode, value) in mapping {
      guard let word = keyNode.scalar?.string, let text = value.scalar?.string else {
        throw .invalid("\(path): parameters must be a map of names to texts")
      }
      let name = camelCase(word)
      if parameters[name] != nil { throw .invalid("\(path): parameter \(name) is given twice") }
      parameters[name] = text
    }
    return parameters
  }

  private static func scalar(_ entries: [Key: Node], _ key: Key, _ path: String)
    throws(Refusal) -> String?
  {
    guard let node = entries[key] else { return nil }
    guard let text = node.scalar?.string else {
      throw .invalid("\(path): \(key.rawValue) must be a text")
    }
    return text
  }

  private static func list(_ entries: [Key: Node], _ key: Key, _ path: String)
    throws(Refusal) -> [String]
  {
    guard let node = entries[key] else { return [] }
    guard let sequence = node.sequence else {
      throw .invalid("\(path): \(key.rawValue) must be a list of texts")
    }
    var items: [String] = []
    for item in sequence {
      guard let text = item.scalar?.string else {
        throw .invalid("\(path): \(key.rawValue) must be a list of texts")
      }
      items.append(text)
    }
    return items
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ entries: [Key: Node], _ key: Key, _ path: String
  ) throws(Refusal) -> Choice? where Choice.RawValue == String {
    guard let text = try scalar(entries, key, path) else { return nil }
    if let choice = Choice.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() })
    {
      return choice
    }
    throw .invalid(
      "\(path): \(key.rawValue) \"\(text)\" must be one of: "
        + Choice.allCases.map(\.rawValue).joined(separator: ", "))
  }

  /// `disk_type` becomes `diskType`; what has no underscore stays.
  package static func camelCase(_ word: String) -> String {
    let parts = word.split(separator: "_")
    guard parts.count > 1, let first = parts.first else { return word }
    return parts.dropFirst().reduce(String(first)) { name, part in
      name + part.prefix(1).uppercased() + part.dropFirst()
    }
  }

  /// `reclaimPolicy` becomes `reclaim_policy`.
  private static func snakeCase(_ word: String) -> String {
    word.reduce(into: "") { name, character in
      if character.isUppercase { name += "_" }
      name += character.lowercased()
    }
  }
}
