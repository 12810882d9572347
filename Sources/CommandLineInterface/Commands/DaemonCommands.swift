package import ArgumentParser
internal import Messages

/// `daemon …`
package struct DaemonCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "daemon", abstract: "See, stop and restart the daemon.",
    discussion: """
      EXAMPLES
        galleonfs daemon status
        galleonfs --daemon-address 127.0.0.1:8091 daemon status
      """,
    subcommands: [
      DaemonStatus.self, DaemonConfig.self, StopDaemon.self, RestartDaemon.self,
    ])

  package init() {}
}

struct DaemonStatus: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show what the daemon does.",
    discussion: "EXAMPLE\n  galleonfs daemon status -o yaml")

  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let status = try await client.call(
      Control.DaemonService.status, Control.DaemonStatusRequest())
    return Report(text: Self.text(status), value: OutputValue(status))
  }

  private static func text(_ status: Control.DaemonStatusResponse) -> String {
    var text =
      "Daemon Status:\n"
      + Wording.details([
        ("State", status.state.word), ("Version", status.version),
        ("Node", "\(status.nodeName) (\(status.nodeID))"), ("Process", "\(status.processID)"),
        ("Started", Wording.time(status.startedAt)), ("Storage Path", status.storagePath),
        ("Bind Address", status.bindAddress), ("IPC Address", status.ipcAddress),
        ("CSI Endpoint", status.csiEndpoint), ("HTTP Address", status.httpAddress),
        ("Mount Point", status.mountPoint), ("Volumes", "\(status.volumes)"),
        ("Mounts", "\(status.mounts)"), ("Resident Memory", Wording.size(status.residentBytes)),
      ])
    for pool in status.pools {
      text += "  Pool \(pool.path): \(Wording.size(pool.availableBytes)) of "
      text += "\(Wording.size(pool.capacityBytes)) available, \(Wording.size(pool.usedBytes)) used "
      text += "by \(Wording.count(Int(pool.volumes), "volume"))\n"
    }
    for message in status.messages { text += "  Note: \(message)\n" }
    return text
  }
}

struct DaemonConfig: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Show the daemon's settings and where they come from.",
    discussion: "EXAMPLE\n  galleonfs daemon config")

  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      Control.DaemonService.config, Control.DaemonConfigRequest())
    let table = Table(
      head: ["SETTING", "VALUE", "SOURCE", "RELOADABLE"],
      rows: answer.settings.map { setting in
        [
          "\(setting.section).\(setting.key)", setting.value.isEmpty ? "-" : setting.value,
          setting.source.word.lowercased(), setting.reloadable ? "yes" : "no",
        ]
      })
    let file = answer.configPath.isEmpty ? "" : "File: \(answer.configPath)\n"
    return Report(text: file + table.text, value: OutputValue(answer))
  }
}

struct StopDaemon: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Stop the daemon: drain, unmount, sync, end.",
    discussion: "EXAMPLE\n  galleonfs daemon stop")

  @Flag(help: "Do not wait for calls that run.")
  var force = false
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.StopDaemonRequest()
    request.force = force
    let answer = try await client.call(Control.DaemonService.stop, request)
    return Report(
      text: "The daemon (process \(answer.processID)) is stopping.\n", value: OutputValue(answer))
  }
}

struct RestartDaemon: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "restart", abstract: "Restart the daemon with the same arguments.",
    discussion: "EXAMPLE\n  galleonfs daemon restart")

  @Flag(help: "Do not wait for calls that run.")
  var force = false
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.RestartDaemonRequest()
    request.force = force
    let answer = try await client.call(Control.DaemonService.restart, request)
    return Report(
      text: "The daemon (process \(answer.processID)) is restarting.\n",
      value: OutputValue(answer))
  }
}
