package import ArgumentParser
internal import DaemonConfiguration
internal import Messages
internal import StorageModel

/// `volume …`
package struct VolumeCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "volume", abstract: "Create, see, mount and delete volumes.",
    discussion: """
      EXAMPLES
        galleonfs volume create --name web-data --size 1G --storage-class fast-local-ssd
        galleonfs volume list -o json
        galleonfs volume mount web-data /app/web-data --options rw,sync
        galleonfs volume delete web-data
      """,
    subcommands: [
      CreateVolume.self, ListVolumes.self, GetVolume.self, DeleteVolume.self, MountVolume.self,
      UnmountVolume.self, ExpandVolume.self,
    ])

  package init() {}
}

struct CreateVolume: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a volume.",
    discussion: """
      Sizes are numbers with K, M, G or T, powers of 1024.

      EXAMPLES
        galleonfs volume create --name web-data --size 1G --storage-class fast-local-ssd
        galleonfs volume create --name db-data --size 10G --storage-class encrypted-storage \
      --replicas 3
        galleonfs volume create --name disk --size 512M --content block
      """)

  @Option(name: [.short, .long], help: "Name of the volume; one is made up if left out.")
  var name: String?
  @Option(
    name: [.customShort("t"), .long], help: "persistent, ephemeral or shared.")
  var volumeType: VolumeType = .persistent
  @Option(name: [.short, .long], help: "Size, such as 512M or 1G.")
  var size: String = "1G"
  @Option(name: [.customShort("c"), .long], help: "Storage class.")
  var storageClass: String = BuiltInStorageClasses.standardName
  @Option(name: [.short, .long], help: "Number of replicas, instead of the class's.")
  var replicas: Int?
  @Option(help: "filesystem, or block for a raw device; what the class says if left out.")
  var content: ContentArgument?
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.CreateVolumeRequest()
    request.name = try Arguments.name(name)
    request.capacityBytes = try Arguments.size(size)
    request.type = Control.VolumeType(volumeType)
    request.storageClass = storageClass
    request.content = content?.wire ?? .unspecified
    if let replicas {
      guard (1...DaemonConfiguration.mostReplicas).contains(replicas) else {
        throw CommandFailure(
          .usage,
          "--replicas \(replicas) is not allowed; give 1 to \(DaemonConfiguration.mostReplicas)")
      }
      request.replicas = UInt32(replicas)
    }
    let answer = try await client.call(Control.VolumesService.create, request)
    let volume = answer.volume ?? Control.Volume()
    return Report(
      text: "Volume created successfully:\n" + VolumeWording.summary(volume),
      value: OutputValue(volume), warnings: answer.warnings)
  }
}

struct ListVolumes: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List all volumes.",
    discussion: "EXAMPLE\n  galleonfs volume list -o json")

  @Option(name: [.customShort("c"), .long], help: "Only volumes of this storage class.")
  var storageClass: String?
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var volumes: [Control.Volume] = []
    var request = Control.ListVolumesRequest()
    request.storageClass = storageClass ?? ""
    repeat {
      let page = try await client.call(Control.VolumesService.list, request)
      volumes += page.volumes
      request.pageToken = page.nextPageToken
    } while !request.pageToken.isEmpty
    let table = Table(
      head: ["NAME", "ID", "SIZE", "USED", "CLASS", "TYPE", "STATE", "REPLICAS"],
      rows: volumes.map(VolumeWording.row))
    return Report(
      text: volumes.isEmpty ? "No volumes.\n" : table.text,
      value: .list(volumes.map { OutputValue($0) }))
  }
}

struct GetVolume: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Show a volume by name or ID.",
    discussion: "EXAMPLE\n  galleonfs volume get web-data")

  @Argument(help: "Name or ID of the volume.")
  var volume: String
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.GetVolumeRequest()
    request.volume = volume
    let answer = try await client.call(Control.VolumesService.get, request)
    let found = answer.volume ?? Control.Volume()
    return Report(
      text: "Volume \(found.name):\n" + VolumeWording.details(found), value: OutputValue(found))
  }
}

struct DeleteVolume: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a volume and its data, by name or ID.",
    discussion: "EXAMPLE\n  galleonfs volume delete web-data --force")

  @Argument(help: "Name or ID of the volume.")
  var volume: String
  @Flag(help: "Unmount it first where it is mounted.")
  var force = false
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.DeleteVolumeRequest()
    request.volume = volume
    request.force = force
    let answer = try await client.call(Control.VolumesService.delete, request)
    return Report(
      text: "Volume \(answer.name) (\(answer.id)) deleted.\n", value: OutputValue(answer))
  }
}

struct ExpandVolume: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "expand", abstract: "Make a volume larger, while it is in use.",
    discussion: "EXAMPLE\n  galleonfs volume expand web-data 2G")

  @Argument(help: "Name or ID of the volume.")
  var volume: String
  @Argument(help: "The new size, such as 2G.")
  var size: String
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.ExpandVolumeRequest()
    request.volume = volume
    request.capacityBytes = try Arguments.size(size)
    let answer = try await client.call(Control.VolumesService.expand, request)
    let found = answer.volume ?? Control.Volume()
    return Report(
      text: "Volume \(found.name) has \(Wording.exactSize(found.capacityBytes)) now.\n",
      value: OutputValue(found))
  }
}
