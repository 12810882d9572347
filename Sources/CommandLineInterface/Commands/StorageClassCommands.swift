package import ArgumentParser
internal import DaemonConfiguration
internal import Messages
internal import StorageModel

/// `storage-class …`
package struct StorageClassCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "storage-class", abstract: "Named ways to make volumes.",
    discussion: """
      EXAMPLES
        galleonfs storage-class list
        galleonfs storage-class create ultra-fast-ssd.json
      """,
    subcommands: [
      ListStorageClasses.self, CreateStorageClass.self, GetStorageClass.self,
      DeleteStorageClass.self,
    ])

  package init() {}
}

struct ListStorageClasses: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List all storage classes.",
    discussion: "EXAMPLE\n  galleonfs storage-class list")

  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let answer = try await client.call(
      Control.StorageClassesService.list, Control.ListStorageClassesRequest())
    let table = Table(
      head: ["NAME", "PROVISIONER", "RECLAIM", "BINDING", "PARAMETERS"],
      rows: answer.storageClasses.map { item in
        [
          item.name + (item.isDefault ? " (default)" : ""), item.provisioner,
          item.reclaimPolicy.word, item.volumeBindingMode.word, Self.parameters(item),
        ]
      })
    return Report(
      text: table.text, value: .list(answer.storageClasses.map { OutputValue($0) }))
  }

  private static func parameters(_ item: Control.StorageClass) -> String {
    item.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      .joined(separator: ",")
  }
}

struct CreateStorageClass: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a storage class from a JSON or YAML file.",
    discussion: """
      Keys: name, provisioner, parameters, reclaim_policy (Delete, Retain), volume_binding_mode
      (Immediate, WaitForFirstConsumer), allowed_topologies, mount_options.

      EXAMPLE
        galleonfs storage-class create secure-distributed.yaml
      """)

  @Argument(help: "The file; - reads standard input.")
  var file: String
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    let storageClass: StorageClass
    do throws(Refusal) {
      let text = try TextFile.read(file)
      storageClass = try StorageClassFile.parse(text, path: file == "-" ? "standard input" : file)
    } catch {
      throw CommandFailure(.usage, error.message)
    }
    var request = Control.CreateStorageClassRequest()
    request.storageClass = Control.StorageClass(storageClass)
    let answer = try await client.call(Control.StorageClassesService.create, request)
    let created = answer.storageClass ?? Control.StorageClass()
    return Report(
      text: "Storage class \(created.name) created.\n", value: OutputValue(created))
  }
}

struct GetStorageClass: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Show a storage class.",
    discussion: "EXAMPLE\n  galleonfs storage-class get encrypted-storage")

  @Argument(help: "Name of the class.")
  var name: String
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.GetStorageClassRequest()
    request.name = name
    let answer = try await client.call(Control.StorageClassesService.get, request)
    let value = OutputValue(answer.storageClass ?? Control.StorageClass()).without(
      ["is_default", "built_in"])  // what remains is a class file
    return Report(text: OutputWriter.yaml(value), value: value)
  }
}

struct DeleteStorageClass: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a storage class; its volumes stay.",
    discussion: "EXAMPLE\n  galleonfs storage-class delete ultra-fast-ssd")

  @Argument(help: "Name of the class.")
  var name: String
  @OptionGroup var client: ClientOptions

  var connection: ConnectionOptions { client.connection }
  var format: OutputFormat { client.output }

  func perform(_ client: ControlClient) async throws(CommandFailure) -> Report {
    var request = Control.DeleteStorageClassRequest()
    request.name = name
    let answer = try await client.call(Control.StorageClassesService.delete, request)
    return Report(text: "Storage class \(name) deleted.\n", value: OutputValue(answer))
  }
}

extension Control.StorageClass {
  init(_ storageClass: StorageClass) {
    self.init()
    name = storageClass.name
    provisioner = storageClass.provisioner
    parameters = storageClass.parameters
    reclaimPolicy = storageClass.reclaimPolicy == .delete ? .delete : .retain
    volumeBindingMode =
      storageClass.bindingMode == .immediate ? .immediate : .waitForFirstConsumer
    allowedTopologies = storageClass.allowedTopologies
    mountOptions = storageClass.mountOptions
  }
}
