internal import ArgumentParser
internal import DaemonConfiguration
internal import Messages

struct MountVolume: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "mount", abstract: "Mount a volume at a path of the daemon's node.",
    discussion: """
      The path is made if it does not exist. A block volume appears as the file data. Here -o
      gives mount options; -o table, json or yaml still chooses the output.

      EXAMPLES
        galleonfs volume mount web-data /app/web-data --options rw,sync
        galleonfs volume mount web-data /app/copy -o ro
      """)

  @Argument(help: "Name or ID of the volume.")
  var volume: String
  @Argument(help: "Where to mount it.")
  var path: String
  @Option(
    name: [.customShort("o"), .customLong("options")],
    help: "Mount options, separated by commas: rw, ro, sync, noatime, nosuid, …")
  var options: [String] = []
  @Option(help: "table, json or yaml.")
  var output: OutputFormat?
  @OptionGroup var connection: ConnectionOptions

  var format: OutputFormat {
    output ?? options.compactMap { OutputFormat(rawValue: $0) }.last ?? .table
  }

  private var mountOptions: [String] {
    options.filter { OutputFormat(rawValue: $0) == nil }
      .flatMap { $0.split(separator: ",").map(String.init) }
  }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.MountVolumeRequest()
    request.volume = volume
    request.path = Arguments.absolute(path)
    request.options = mountOptions
    do throws(Refusal) {
      request.readOnly = try MountOptions(parsing: mountOptions).isReadOnly
    } catch {
      throw CommandFailure(.usage, error.message)
    }
    let answer = try await client.call(Control.VolumesService.mount, request)
    let mount = answer.mount ?? Control.VolumeMount()
    let access = mount.readOnly ? "read-only" : "read-write"
    return Report(
      text: "Volume \(answer.name) (\(answer.id)) mounted at \(mount.path), \(access).\n",
      value: OutputValue(answer))
  }
}

struct UnmountVolume: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "unmount", abstract: "Unmount a volume everywhere, or one path.",
    discussion: """
      EXAMPLES
        galleonfs volume unmount web-data
        galleonfs volume unmount /app/database
      """)

  @Argument(help: "Name or ID of the volume, or the path of one mount.")
  var volumeOrPath: String
  @Flag(help: "Detach even if files are open.")
  var force = false
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.UnmountVolumeRequest()
    request.volumeOrPath = Arguments.volumeOrPath(volumeOrPath)
    request.force = force
    let answer = try await client.call(Control.VolumesService.unmount, request)
    return Report(
      text: answer.paths.map { "Unmounted \($0).\n" }.joined(), value: OutputValue(answer))
  }
}
