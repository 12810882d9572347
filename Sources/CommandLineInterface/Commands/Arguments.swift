internal import ArgumentParser
internal import DaemonConfiguration
internal import Glibc
internal import Messages
internal import StorageModel

/// Checks that need no daemon, so that a slip costs no round trip.
enum Arguments {
  static func name(_ name: String?) throws(CommandFailure) -> String {
    guard let name else { return "" }
    if let fault = VolumeName.fault(in: name) {
      throw CommandFailure(.usage, "volume name \"\(name.prefix(200))\" is not allowed: \(fault)")
    }
    return name
  }

  static func size(_ text: String) throws(CommandFailure) -> UInt64 {
    do throws(Refusal) {
      let size = try ByteCount.parse(text)
      if size == 0 { throw Refusal.invalid("size is 0; give a positive size such as 1G") }
      return size
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }

  /// The daemon has another working directory than the shell.
  static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") || path.isEmpty { return path }
    guard let pointer = getcwd(nil, 0) else { return path }
    defer { free(pointer) }
    let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    return String(cString: pointer) + "/" + relative
  }

  /// A volume's name has no slash; everything with one is a path, and so are `.` and `..`.
  static func volumeOrPath(_ text: String) -> String {
    text.contains("/") || text == "." || text == ".." ? absolute(text) : text
  }
}

/// What a volume shows, as the command line says it.
enum ContentArgument: String, CaseIterable, ExpressibleByArgument {
  case filesystem, block

  var wire: Control.VolumeContent {
    switch self {
    case .filesystem: .fileSystem
    case .block: .block
    }
  }
}

extension VolumeType: ExpressibleByArgument {}

extension Control.VolumeType {
  init(_ type: VolumeType) {
    switch type {
    case .persistent: self = .persistent
    case .ephemeral: self = .ephemeral
    case .shared: self = .shared
    }
  }
}
