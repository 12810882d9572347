import ArgumentParser
import DaemonConfiguration
import Messages
import Testing

@testable import CommandLineInterface

private struct Root: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "galleonfs", subcommands: CommandRunner.nouns)
}

@Suite struct CommandTests {
  let daemon = FakeDaemon()

  private func perform(_ words: String...) async throws -> Report {
    let command = try Root.parseAsRoot(CommandRunner.reordered(words))
    let control = try #require(command as? any ControlCommand)
    return try await control.perform(daemon.client)
  }

  private func exit(_ words: String...) async -> CommandFailure.Exit? {
    do {
      let command = try Root.parseAsRoot(CommandRunner.reordered(words))
      guard let control = command as? any ControlCommand else { return nil }
      _ = try await control.perform(daemon.client)
      return .done
    } catch let failure as CommandFailure {
      return failure.exit
    } catch {
      return Root.exitCode(for: error) == .validationFailure ? .usage : .failed
    }
  }

  private static func volume(_ name: String) -> Control.Volume {
    var volume = Control.Volume()
    volume.id = "f6bddca9-fb8b-4470-860b-dfde7b708e58"
    volume.name = name
    volume.capacityBytes = 1 << 30
    volume.type = .persistent
    volume.storageClass = "encrypted-storage"
    volume.state = .available
    volume.encryption = .aes256GCM
    volume.replicasWanted = 3
    volume.replicasInSync = 1
    var condition = Control.VolumeCondition()
    condition.degraded = true
    volume.condition = condition
    return volume
  }

  @Test func `volume create sends what was asked and shows what came`() async throws {
    daemon.on(Control.VolumesService.create) { request in
      var response = Control.CreateVolumeResponse()
      response.volume = Self.volume(request.name)
      response.warnings = ["degraded: 3 replicas wanted"]
      return response
    }
    let report = try await perform(
      "volume", "create", "-n", "db-data", "-s", "10G", "-c", "encrypted-storage", "-r", "3", "-t",
      "shared")
    let request = try #require(try daemon.requests(Control.VolumesService.create).first)
    #expect(request.name == "db-data" && request.capacityBytes == 10 << 30)
    #expect(request.storageClass == "encrypted-storage" && request.replicas == 3)
    #expect(request.type == .shared)
    #expect(
      report.text == """
        Volume created successfully:
          ID: f6bddca9-fb8b-4470-860b-dfde7b708e58
          Name: db-data
          Type: Persistent
          Size: 1073741824 bytes (1.0 GB)
          Storage Class: encrypted-storage
          State: Available, degraded
          Encryption: AES-256-GCM
          Replicas: 1 of 3 in sync

        """)
    #expect(report.warnings == ["degraded: 3 replicas wanted"])
  }

  @Test func `volume create has the documented defaults`() async throws {
    daemon.on(Control.VolumesService.create) { _ in Control.CreateVolumeResponse() }
    _ = try await perform("volume", "create")
    let request = try #require(try daemon.requests(Control.VolumesService.create).first)
    #expect(request.name.isEmpty && request.capacityBytes == 1 << 30)
    #expect(request.storageClass == "encrypted-storage" && request.type == .persistent)
    #expect(request.replicas == 0)
  }

  @Test(arguments: [
    ["volume", "create", "--size", "0"], ["volume", "create", "--size", "-5"],
    ["volume", "create", "--size=-5G"], ["volume", "create", "--size", "much"],
    ["volume", "create", "--name", "../x"], ["volume", "create", "--name", "a/b"],
    ["volume", "create", "--name", String(repeating: "n", count: 300)],
    ["volume", "create", "--replicas", "0"], ["volume", "create", "--replicas", "99"],
    ["volume", "create", "--volume-type", "weird"], ["volume", "create", "extra"],
    ["volume", "get"], ["volume", "mount", "x"], ["volume", "frobnicate"], ["frobnicate"],
    ["volume", "list", "-o", "xml"], ["vfs", "mount", "x"], ["storage-class", "create"],
    ["volume", "mount", "x", "/y", "--options", "shiny"], ["cluster", "join", "nowhere"],
    ["volume", "list", "--timeout", "0"],
  ])
  func `bad usage ends with 2 before any call`(words: [String]) async throws {
    let command: (any ControlCommand)?
    do {
      command = try Root.parseAsRoot(words) as? any ControlCommand
    } catch {
      #expect(Root.exitCode(for: error) == .validationFailure)
      return
    }
    let failure = await #expect(throws: CommandFailure.self) {
      _ = try await command?.perform(daemon.client)
    }
    #expect(failure?.exit == .usage)
  }

  @Test(arguments: [
    (CallFailure.Code.notFound, CommandFailure.Exit.notFound), (.unavailable, .unreachable),
    (.invalidArgument, .usage), (.failedPrecondition, .failed), (.alreadyExists, .failed),
    (.unauthenticated, .failed), (.deadlineExceeded, .failed), (.unimplemented, .failed),
    (.other, .failed), (.permissionDenied, .failed),
  ])
  func `the daemon's codes become exit codes`(
    code: CallFailure.Code, expected: CommandFailure.Exit
  ) async {
    daemon.on(Control.VolumesService.get) { _ in throw CallFailure(code: code, message: "m") }
    #expect(await exit("volume", "get", "x") == expected)
  }

  @Test func `listing follows the pages`() async throws {
    daemon.on(Control.VolumesService.list) { request in
      var response = Control.ListVolumesResponse()
      response.volumes = [Self.volume(request.pageToken.isEmpty ? "a" : "b")]
      response.nextPageToken = request.pageToken.isEmpty ? "a" : ""
      return response
    }
    let report = try await perform("volume", "list")
    #expect(report.text.split(separator: "\n").count == 3)
    #expect(report.text.contains("Available, degraded"))
  }

  @Test func `options of the connection may stand before the noun`() throws {
    let words = CommandRunner.reordered(
      ["--daemon-address", "127.0.0.1:8091", "-o", "json", "daemon", "status"])
    #expect(words == ["daemon", "status", "--daemon-address", "127.0.0.1:8091", "-o", "json"])
    let command = try #require(try Root.parseAsRoot(words) as? DaemonStatus)
    #expect(command.connection.daemonAddress == "127.0.0.1:8091")
    #expect(command.format == .json)
    #expect(CommandRunner.reordered(["--auth-token-file", "x"]) == ["--auth-token-file", "x"])
    #expect(CommandRunner.reordered(["-d", "volume"]) == ["-d", "volume"])
  }

  @Test func `the environment names the daemon, the option beats it`() throws {
    var options = try ConnectionOptions.parse([])
    let environment = ["GALLEONFS_DAEMON": "127.0.0.1:9999"]
    #expect(try options.endpoint(environment: environment).address.port == 9999)
    #expect(try options.endpoint(environment: [:]).address.description == "127.0.0.1:8090")
    options = try ConnectionOptions.parse(["--daemon-address", "localhost:1"])
    #expect(try options.endpoint(environment: environment).address.port == 1)
    #expect(throws: CommandFailure.self) {
      try ConnectionOptions.parse([]).endpoint(environment: ["GALLEONFS_DAEMON": "nonsense"])
    }
  }

  @Test func `mount takes -o for options and for the output`() async throws {
    daemon.on(Control.VolumesService.mount) { request in
      var response = Control.MountVolumeResponse()
      var mount = Control.VolumeMount()
      mount.path = request.path
      mount.readOnly = request.readOnly
      response.mount = mount
      response.name = request.volume
      return response
    }
    let report = try await perform("volume", "mount", "v", "/app/data", "-o", "ro,noatime")
    #expect(report.text.contains("read-only"))
    let request = try #require(try daemon.requests(Control.VolumesService.mount).first)
    #expect(request.options == ["ro", "noatime"] && request.readOnly)
    let parsed = try Root.parseAsRoot(["volume", "mount", "v", "/p", "-o", "json"])
    #expect((parsed as? MountVolume)?.format == .json)
  }

  @Test func `vfs status prints the documented lines`() async throws {
    daemon.on(Control.VFSService.status) { _ in
      var mount = Control.VFSMount()
      mount.volumeName = "my-volume"
      mount.volumeID = "a1b2"
      mount.mountPoint = "/mnt/galleonfs/my-volume"
      mount.state = .active
      mount.files = 1247
      mount.directories = 42
      mount.totalSizeBytes = 2_469_606_195
      var time = WellKnown.Timestamp()
      time.seconds = 1_705_314_615
      mount.lastSyncedAt = time
      var response = Control.VFSStatusResponse()
      response.mounts = [mount]
      return response
    }
    #expect(
      try await perform("vfs", "status", "my-volume").text == """
        Volume: my-volume (a1b2)
        Mount Point: /mnt/galleonfs/my-volume
        Status: Active
        Files: 1,247
        Directories: 42
        Total Size: 2.3 GB
        Last Sync: 2024-01-15 10:30:15 UTC

        """)
  }

  @Test func `a class file that is missing or bad is usage`() async {
    #expect(await exit("storage-class", "create", "/nonexistent/class.yaml") == .usage)
    #expect(await exit("storage-class", "create", "/etc/hostname") == .usage)
  }

  @Test func `an answer that is no message is told, not trapped`() async {
    struct Garbage: ControlTransport {
      func call(path: String, request: [UInt8]) async throws(CallFailure) -> [UInt8] { [0xFF] }
    }
    let client = ControlClient(transport: Garbage(), address: "a")
    await #expect(throws: CommandFailure.self) {
      try await client.call(Control.VolumesService.get, Control.GetVolumeRequest())
    }
  }

  @Test func `every daemon flag is a setting and the other way round`() throws {
    let bare = ["--tls-enabled", "--auth-required", "--insecure"]
    for setting in Setting.allCases {
      let flag = "--" + setting.flag
      let options = try DaemonOptions.parse(bare.contains(flag) ? [flag] : [flag, "x"])
      #expect(options.flags.keys.first == setting, "\(setting.flag)")
    }
  }
}
