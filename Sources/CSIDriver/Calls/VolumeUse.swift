package import DaemonConfiguration
import Messages
package import StorageModel

/// A `VolumeCapability`, checked: one way to use a volume.
package struct VolumeUse: Hashable, Sendable {
  package enum Access: Hashable, Sendable {
    case block
    /// nil: as the volume has it.
    case mount(FileSystemType?)
  }

  package var access: Access
  package var mode: AccessMode
  package var options: MountOptions
  /// Options as they were given; may hold secrets, so never in a message.
  package var optionWords: [String]
  package var groupID: UInt32?

  init(_ capability: CSI.VolumeCapability) throws(CallError) {
    options = MountOptions()
    optionWords = []
    switch capability.accessType {
    case nil: throw .invalid("volume_capability.access_type is required: block or mount")
    case .block: access = .block
    case .mount(let mount):
      access = .mount(try Self.fileSystem(mount.fsType))
      optionWords = mount.mountFlags
      options = try Self.options(mount.mountFlags)
      groupID = try Self.group(mount.volumeMountGroup)
    }
    mode = try Self.mode(capability.accessMode)
    try checkFileSystem()
  }

  package var isReadOnly: Bool { mode.isReadOnly || options.isReadOnly }

  /// What a volume must hold to be used like this; nil: either.
  func content(default fileSystem: FileSystemType) -> VolumeContent {
    switch access {
    case .block: .block
    case .mount(let wanted): (wanted ?? fileSystem) == .galleonfs ? .fileSystem : .block
    }
  }

  private static func fileSystem(_ name: String) throws(CallError) -> FileSystemType? {
    if name.isEmpty { return nil }
    guard let type = FileSystemType(rawValue: name) else {
      let known = FileSystemType.allCases.map(\.rawValue).joined(separator: ", ")
      throw .invalid("fs_type \"\(Fields.shown(name))\" is not supported; allowed are: \(known)")
    }
    return type
  }

  private static func options(_ flags: [String]) throws(CallError) -> MountOptions {
    let byteCount = flags.reduce(0) { $0 + $1.utf8.count }
    if byteCount > Fields.maximumMapByteCount {
      throw .invalid("mount_flags has \(byteCount) bytes; at most 4096 are allowed")
    }
    if let options = try? MountOptions(parsing: flags) { return options }  // the reason follows
    // What stands behind '=' may be a secret, so it must not get into the message.
    let names = flags.flatMap { $0.split(separator: ",") }.map { word in
      String(word.prefix { $0 != "=" })
    }
    do {
      _ = try MountOptions(parsing: names)
    } catch {
      throw .refused(error)
    }
    throw .invalid("mount_flags has an option with a value; no mount option takes one")
  }

  private static func group(_ text: String) throws(CallError) -> UInt32? {
    if text.isEmpty { return nil }
    guard let group = UInt32(text), group < .max else {
      throw .invalid(
        "volume_mount_group \"\(Fields.shown(text))\" is not allowed: it must be a number of a "
          + "group")
    }
    return group
  }

  private static func mode(_ mode: CSI.VolumeCapability.AccessMode?) throws(CallError)
    -> AccessMode
  {
    guard let mode = mode?.mode, mode != .unknown else {
      throw .invalid("volume_capability.access_mode is required")
    }
    guard let known = AccessMode(rawValue: mode.wireName) else {
      let modes = AccessMode.allCases.map(\.rawValue).joined(separator: ", ")
      throw .invalid("access mode \(mode.wireName) is not known; allowed are: \(modes)")
    }
    return known
  }

  /// The kernel's file systems cannot be mounted by several nodes when one of them writes.
  private func checkFileSystem() throws(CallError) {
    guard case .mount(let type?) = access, type != .galleonfs else { return }
    if mode == .multiNodeSingleWriter || mode == .multiNodeMultiWriter {
      throw .invalid(
        "fs_type \(type.rawValue) cannot be used in mode \(mode.rawValue): only galleonfs can be "
          + "written while several nodes have it mounted")
    }
  }
}
