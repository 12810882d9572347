internal import ClusterControl
internal import ControlAPI
internal import DaemonConfiguration
internal import Glibc
internal import Logging
internal import NodeRuntime
internal import StorageModel

/// Mounts every volume at DIR/<name> as soon as it exists; woken by the node's events, never by
/// a timer.
actor AutoMounter: AutoMounting {
  private let node: any NodeServices
  private let catalog: VolumeCatalog
  private let directory: String
  private let process: DaemonProcess
  private let logger = Logger(label: "galleonfs.automount")
  private var faults: [String: String] = [:]
  private var events: Task<Void, Never>?

  init(
    node: any NodeServices, catalog: VolumeCatalog, directory: String, process: DaemonProcess
  ) {
    self.node = node
    self.catalog = catalog
    self.directory = directory
    self.process = process
  }

  nonisolated func path(of specification: VolumeSpecification) -> String {
    "\(directory)/\(specification.name)"
  }

  /// Mounts what exists, and from now on what comes.
  func start() async {
    let stream = node.volumeEvents()
    for status in await node.volumes() { _ = await mount(status.specification) }
    events = Task { [weak self] in
      for await event in stream { await self?.handle(event) }
    }
  }

  func stop() { events?.cancel() }

  func mount(_ specification: VolumeSpecification) async -> String? {
    let entry = try? await catalog.get(specification.id)?.entry  // etcd away: no class options
    let options = (try? MountOptions(parsing: entry?.mountOptions ?? [])) ?? MountOptions()
    let request = MountRequest(
      path: path(of: specification), isReadOnly: options.isReadOnly,
      options: options.kernelOptions + (options.isSynchronous ? ["sync"] : []))
    do throws(NodeError) {
      _ = try await node.mount(specification.id, request)
      note(nil, specification)
      return nil
    } catch {
      logger.error(
        "cannot mount volume",
        metadata: ["volume": "\(specification.id)", "path": "\(request.path)", "error": "\(error)"])
      note(
        "volume \(specification.name) is not mounted at \(request.path): \(error)", specification)
      return "\(error)"
    }
  }

  func unmount(_ specification: VolumeSpecification) async throws(Refusal) {
    do throws(NodeError) {
      try await node.unmount(path: path(of: specification))
    } catch {
      throw Refusal(unmounting: error)
    }
  }

  private func handle(_ event: VolumeEvent) async {
    switch event {
    case .added(let specification):
      _ = await mount(specification)
    case .removed(let specification):
      note(nil, specification)
      // Only if empty: a directory that holds something is not ours to remove.
      rmdir(path(of: specification))
    }
  }

  private func note(_ fault: String?, _ specification: VolumeSpecification) {
    faults[specification.name] = fault
    let all = faults.sorted { $0.key < $1.key }.map(\.value)
    process.note(all.isEmpty ? nil : all.joined(separator: "; "), of: "automount")
  }
}
