internal import ArgumentParser
internal import Messages

struct CSIStage: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage", abstract: "NodeStageVolume: make a volume ready on the node.")

  @Argument(help: "ID of the volume.") var volume: String
  @Option(help: "Directory of the stage; it must exist.") var stagingPath: String
  @Option(help: "What controller-publish answered, NAME=VALUE; repeat for more.")
  var publishContext: [String] = []
  @Option(help: "What create-volume answered, NAME=VALUE; repeat for more.")
  var volumeContext: [String] = []
  @OptionGroup var capability: CSICapabilityOptions
  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      CSI.NodeService.nodeStageVolume,
      .init(
        volumeID: volume, publishContext: try map(publishContext, option: "--publish-context"),
        stagingTargetPath: Arguments.absolute(stagingPath), volumeCapability: try capability.wire,
        volumeContext: try map(volumeContext, option: "--volume-context")))
    return Report(text: "staged at \(stagingPath)\n", value: OutputValue(answer))
  }
}

struct CSIUnstage: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "unstage", abstract: "NodeUnstageVolume.")

  @Argument(help: "ID of the volume.") var volume: String
  @Option(help: "Directory of the stage.") var stagingPath: String
  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      CSI.NodeService.nodeUnstageVolume,
      .init(volumeID: volume, stagingTargetPath: Arguments.absolute(stagingPath)))
    return Report(text: "unstaged\n", value: OutputValue(answer))
  }
}

struct CSIPublish: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish", abstract: "NodePublishVolume: show a staged volume at a path.")

  @Argument(help: "ID of the volume.") var volume: String
  @Option(help: "Directory of the stage.") var stagingPath: String
  @Option(help: "Where the volume shall appear; its parent must exist.") var targetPath: String
  @Flag(help: "Only for reading.") var readonly = false
  @Option(help: "What controller-publish answered, NAME=VALUE; repeat for more.")
  var publishContext: [String] = []
  @Option(help: "What create-volume answered, NAME=VALUE; repeat for more.")
  var volumeContext: [String] = []
  @OptionGroup var capability: CSICapabilityOptions
  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      CSI.NodeService.nodePublishVolume,
      .init(
        volumeID: volume, publishContext: try map(publishContext, option: "--publish-context"),
        stagingTargetPath: Arguments.absolute(stagingPath),
        targetPath: Arguments.absolute(targetPath), volumeCapability: try capability.wire,
        readonly: readonly, volumeContext: try map(volumeContext, option: "--volume-context")))
    return Report(text: "published at \(targetPath)\n", value: OutputValue(answer))
  }
}

struct CSIUnpublish: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpublish", abstract: "NodeUnpublishVolume.")

  @Argument(help: "ID of the volume.") var volume: String
  @Option(help: "Where the volume appears.") var targetPath: String
  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      CSI.NodeService.nodeUnpublishVolume,
      .init(volumeID: volume, targetPath: Arguments.absolute(targetPath)))
    return Report(text: "unpublished\n", value: OutputValue(answer))
  }
}

struct CSIExpand: CSICallCommand {
  static let configuration = CommandConfiguration(
    commandName: "expand",
    abstract: "ControllerExpandVolume, then NodeExpandVolume if the driver asks for it.")

  @Argument(help: "ID of the volume.") var volume: String
  @Option(help: "New size, such as 2G.") var size: String
  @Option(help: "Where the volume appears.") var targetPath: String
  @OptionGroup var csi: CSIOptions

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let range = CSI.CapacityRange(requiredBytes: Int64(clamping: try Arguments.size(size)))
    let answer = try await client.call(
      CSI.ControllerService.controllerExpandVolume,
      .init(volumeID: volume, capacityRange: range))
    if answer.nodeExpansionRequired {
      _ = try await client.call(
        CSI.NodeService.nodeExpandVolume,
        .init(
          volumeID: volume, volumePath: Arguments.absolute(targetPath), capacityRange: range))
    }
    return Report(
      text: "\(Wording.size(UInt64(clamping: answer.capacityBytes)))\n",
      value: OutputValue(answer))
  }
}
