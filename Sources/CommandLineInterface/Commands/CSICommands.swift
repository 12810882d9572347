package import ArgumentParser
internal import Messages

/// `csi …`: calls a CSI endpoint as Kubernetes' sidecars and kubelet do.
package struct CSICommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "csi", abstract: "Call a CSI endpoint as Kubernetes does, to see what it answers.",
    discussion: """
      EXAMPLES
        galleonctl csi probe --endpoint unix:///csi/csi.sock
        id=$(galleonctl csi create-volume --name web --size 1G)
        galleonctl csi controller-publish $id --node node-a
        galleonctl csi stage $id --staging-path /staging
        galleonctl csi publish $id --staging-path /staging --target-path /mnt/web
      """,
    subcommands: [
      CSIProbe.self, CSICreateVolume.self, CSIDeleteVolume.self, CSIControllerPublish.self,
      CSIControllerUnpublish.self, CSIStage.self, CSIUnstage.self, CSIPublish.self,
      CSIUnpublish.self, CSIExpand.self,
    ])

  package init() {}
}

/// Where the endpoint is, and how its answer is printed.
struct CSIOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Socket of the driver [env: CSI_ENDPOINT].", valueName: "unix:///path"))
  var endpoint: String?

  @Option(help: ArgumentHelp("Seconds to wait for the answer.", valueName: "seconds"))
  var timeout: Int = 60

  @Option(name: [.short, .long], help: "table, json or yaml.")
  var output: OutputFormat = .table

  func validate() throws {
    guard (1...86_400).contains(timeout) else {
      throw ValidationError("--timeout must be a number of seconds from 1 to 86400")
    }
  }

  func socketPath(environment: [String: String]) throws(CommandFailure) -> String {
    guard let text = endpoint ?? environment["CSI_ENDPOINT"] else {
      throw CommandFailure(.usage, "no endpoint; give --endpoint unix:///path/of/the/socket")
    }
    let path = text.hasPrefix("unix://") ? String(text.dropFirst("unix://".count)) : text
    guard path.hasPrefix("/") else {
      throw CommandFailure(.usage, "endpoint \"\(text)\" is not a Unix socket; write unix:///path")
    }
    return path
  }
}

/// How a volume is to be used: what CSI calls a capability.
struct CSICapabilityOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Access mode of CSI.", valueName: "SINGLE_NODE_WRITER"))
  var accessMode: String = "SINGLE_NODE_WRITER"
  @Option(help: "File system: galleonfs, ext4 or xfs; galleonfs if left out.")
  var fsType: String = ""
  @Option(help: "Option of the mount; repeat for more.")
  var mountFlag: [String] = []
  @Flag(help: "As a raw device instead of a file system.")
  var block = false

  var wire: CSI.VolumeCapability {
    get throws(CommandFailure) {
      guard let mode = Self.modes.first(where: { $0.wireName == accessMode.uppercased() }) else {
        let known = Self.modes.map(\.wireName).joined(separator: ", ")
        throw CommandFailure(.usage, "--access-mode \"\(accessMode)\" is not one of \(known)")
      }
      var capability = CSI.VolumeCapability()
      capability.accessMode = CSI.VolumeCapability.AccessMode(mode: mode)
      capability.accessType =
        block ? .block(.init()) : .mount(.init(fsType: fsType, mountFlags: mountFlag))
      return capability
    }
  }

  private static let modes: [CSI.VolumeCapability.AccessMode.Mode] = [
    .singleNodeWriter, .singleNodeReaderOnly, .multiNodeReaderOnly, .multiNodeSingleWriter,
    .multiNodeMultiWriter, .singleNodeSingleWriter, .singleNodeMultiWriter,
  ]
}

/// One call of a CSI endpoint.
protocol CSICallCommand: AsyncParsableCommand {
  var csi: CSIOptions { get }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report
}

extension CSICallCommand {
  mutating func run() async throws {
    let path = try csi.socketPath(environment: Environment.all)
    let transport = try CSITransport(socketPath: path, timeout: .seconds(csi.timeout))
    let client = ControlClient(transport: transport, address: "unix://\(path)")
    try await perform(client).print(as: csi.output)
  }

  /// `NAME=VALUE` pairs as a map.
  func map(_ pairs: [String], option: String) throws(CommandFailure) -> [String: String] {
    var map: [String: String] = [:]
    for pair in pairs {
      guard let equals = pair.firstIndex(of: "="), equals != pair.startIndex else {
        throw CommandFailure(.usage, "\(option) \"\(pair)\" is not of the form NAME=VALUE")
      }
      map[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
    }
    return map
  }
}

struct CSIProbe: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe", abstract: "Probe: is the driver ready? Fails unless it is.")

  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let info = try await client.call(CSI.IdentityService.getPluginInfo, .init())
    let answer = try await client.call(CSI.IdentityService.probe, .init())
    // An answer without a word on it means ready (CSI 1.12, Probe).
    guard answer.ready?.value ?? true else {
      throw CommandFailure(.failed, "\(info.name) \(info.vendorVersion) is not ready")
    }
    return Report(
      text: "\(info.name) \(info.vendorVersion) is ready\n", value: OutputValue(info))
  }
}

struct CSICreateVolume: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "create-volume", abstract: "CreateVolume; prints the volume's ID.")

  @Option(help: "Name of the volume.") var name: String
  @Option(help: "Size, such as 1G.") var size: String
  @Option(help: "Parameter of a storage class, NAME=VALUE; repeat for more.")
  var parameter: [String] = []
  @OptionGroup var capability: CSICapabilityOptions
  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = CSI.CreateVolumeRequest()
    request.name = name
    request.capacityRange = CSI.CapacityRange(
      requiredBytes: Int64(clamping: try Arguments.size(size)))
    request.volumeCapabilities = [try capability.wire]
    request.parameters = try map(parameter, option: "--parameter")
    let answer = try await client.call(CSI.ControllerService.createVolume, request)
    let volume = answer.volume ?? CSI.Volume()
    return Report(text: "\(volume.volumeID)\n", value: OutputValue(volume))
  }
}

struct CSIDeleteVolume: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete-volume", abstract: "DeleteVolume.")

  @Argument(help: "ID of the volume.") var volume: String
  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      CSI.ControllerService.deleteVolume, .init(volumeID: volume))
    return Report(text: "deleted\n", value: OutputValue(answer))
  }
}

struct CSIControllerPublish: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "controller-publish", abstract: "ControllerPublishVolume: attach to a node.")

  @Argument(help: "ID of the volume.") var volume: String
  @Option(help: "ID of the node.") var node: String
  @Flag(help: "Only for reading.") var readonly = false
  @OptionGroup var capability: CSICapabilityOptions
  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      CSI.ControllerService.controllerPublishVolume,
      .init(
        volumeID: volume, nodeID: node, volumeCapability: try capability.wire, readonly: readonly))
    return Report(text: "attached to \(node)\n", value: OutputValue(answer))
  }
}

struct CSIControllerUnpublish: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "controller-unpublish", abstract: "ControllerUnpublishVolume: detach.")

  @Argument(help: "ID of the volume.") var volume: String
  @Option(help: "ID of the node; all nodes if left out.") var node: String = ""
  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      CSI.ControllerService.controllerUnpublishVolume, .init(volumeID: volume, nodeID: node))
    return Report(text: "detached\n", value: OutputValue(answer))
  }
}
