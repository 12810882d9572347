package import ArgumentParser
internal import Messages

/// `vfs …`
package struct VFSCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "vfs", abstract: "Mounted file systems of the daemon's node.",
    discussion: """
      EXAMPLES
        galleonfs vfs mount my-project --mount-point ./my-project
        galleonfs vfs status my-project
        galleonfs vfs sync
      """,
    subcommands: [
      MountVFS.self, UnmountVFS.self, ListVFS.self, StatusVFS.self, SyncVFS.self,
    ])

  package init() {}
}

struct MountVFS: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "mount", abstract: "Mount a volume as a file system.",
    discussion: "EXAMPLE\n  galleonfs vfs mount my-project --mount-point ./my-project --readonly")

  @Argument(help: "Name or ID of the volume.")
  var volume: String
  @Option(name: [.short, .long], help: "Directory to mount it at; made if missing.")
  var mountPoint: String
  @Flag(name: [.short, .long], help: "Mount it read-only.")
  var readonly = false
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.MountVFSRequest()
    request.volume = volume
    request.mountPoint = Arguments.absolute(mountPoint)
    request.readOnly = readonly
    let answer = try await client.call(Control.VFSService.mount, request)
    let mount = answer.mount ?? Control.VFSMount()
    let access = mount.readOnly ? "read-only" : "read-write"
    return Report(
      text: "Volume \(mount.volumeName) (\(mount.volumeID)) mounted at \(mount.mountPoint), "
        + "\(access).\n",
      value: OutputValue(mount))
  }
}

struct UnmountVFS: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "unmount", abstract: "Unmount a volume everywhere, or one mount point.",
    discussion: "EXAMPLE\n  galleonfs vfs unmount my-project")

  @Argument(help: "Name or ID of the volume, or a mount point.")
  var volumeOrPath: String
  @Flag(help: "Detach even if files are open.")
  var force = false
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.UnmountVFSRequest()
    request.volumeOrPath = Arguments.volumeOrPath(volumeOrPath)
    request.force = force
    let answer = try await client.call(Control.VFSService.unmount, request)
    return Report(
      text: answer.mountPoints.map { "Unmounted \($0).\n" }.joined(), value: OutputValue(answer))
  }
}

struct ListVFS: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List all mounts.",
    discussion: "EXAMPLE\n  galleonfs vfs list")

  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(Control.VFSService.list, Control.ListVFSRequest())
    let table = Table(
      head: ["VOLUME", "MOUNT POINT", "STATUS", "ACCESS", "FILES", "DIRECTORIES", "SIZE"],
      rows: answer.mounts.map { mount in
        [
          mount.volumeName, mount.mountPoint, mount.state.word, mount.readOnly ? "ro" : "rw",
          Wording.grouped(mount.files), Wording.grouped(mount.directories),
          Wording.size(mount.totalSizeBytes),
        ]
      })
    return Report(
      text: answer.mounts.isEmpty ? "No mounts.\n" : table.text,
      value: .list(answer.mounts.map { OutputValue($0) }))
  }
}

struct StatusVFS: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the state of a volume's mounts.",
    discussion: "EXAMPLE\n  galleonfs vfs status my-project")

  @Argument(help: "Name or ID of the volume, or a mount point; all if left out.")
  var volumeOrPath: String?
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.VFSStatusRequest()
    request.volumeOrPath = volumeOrPath.map(Arguments.volumeOrPath) ?? ""
    let answer = try await client.call(Control.VFSService.status, request)
    let texts = answer.mounts.map(Self.text)
    return Report(
      text: texts.isEmpty ? "No mounts.\n" : texts.joined(separator: "\n"),
      value: .list(answer.mounts.map { OutputValue($0) }))
  }

  private static func text(_ mount: Control.VFSMount) -> String {
    Wording.details(
      [
        ("Volume", "\(mount.volumeName) (\(mount.volumeID))"), ("Mount Point", mount.mountPoint),
        ("Status", mount.state.word), ("Files", Wording.grouped(mount.files)),
        ("Directories", Wording.grouped(mount.directories)),
        ("Total Size", Wording.size(mount.totalSizeBytes)),
        ("Last Sync", Wording.time(mount.lastSyncedAt)),
      ], indent: "")
  }
}

struct SyncVFS: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "Make all that was written durable.",
    discussion: "EXAMPLES\n  galleonfs vfs sync\n  galleonfs vfs sync my-project")

  @Argument(help: "Name or ID of the volume; all if left out.")
  var volume: String?
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.SyncVFSRequest()
    request.volume = volume ?? ""
    let answer = try await client.call(Control.VFSService.sync, request)
    let lines = answer.volumes.map {
      "Synced \($0.volumeName) (\($0.volumeID)) at \(Wording.time($0.syncedAt)).\n"
    }
    return Report(
      text: lines.isEmpty ? "No volumes to sync.\n" : lines.joined(),
      value: .list(answer.volumes.map { OutputValue($0) }))
  }
}
