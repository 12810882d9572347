import CSIDriver
import GRPC
import Logging
import Messages
import Testing

/// The three services on a fake cluster, with shorthands for their calls.
struct Bench {
  let cluster = FakeCluster()
  let identity: IdentityService
  let controller: ControllerService
  let node: NodeService

  static let staging = "/var/lib/kubelet/staging"
  static let target = "/var/lib/kubelet/pods/1/target"

  init(logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
    let runner = CallRunner(logger: logger)
    identity = IdentityService(version: "1", control: cluster, host: cluster)
    controller = ControllerService(control: cluster, runner: runner)
    node = NodeService(host: cluster, runner: runner)
  }

  func create(
    _ name: String = "pvc-1", bytes: Int64 = 1 << 30, limit: Int64 = 0,
    _ capabilities: [CSI.VolumeCapability] = [.mount()], parameters: [String: String] = [:]
  ) async throws(CallError) -> CSI.Volume {
    let response = try await controller.createVolume(
      .init(
        name: name, capacityRange: .init(requiredBytes: bytes, limitBytes: limit),
        volumeCapabilities: capabilities, parameters: parameters))
    return response.volume ?? .init()
  }

  func publish(
    _ volume: CSI.Volume, node: String = "node-1", _ capability: CSI.VolumeCapability = .mount(),
    readonly: Bool = false
  ) async throws(CallError) {
    _ = try await controller.publishVolume(
      .init(
        volumeID: volume.volumeID, nodeID: node, volumeCapability: capability, readonly: readonly,
        volumeContext: volume.volumeContext))
  }

  func stage(
    _ volume: CSI.Volume, _ capability: CSI.VolumeCapability = .mount(), at path: String = staging
  ) async throws(CallError) {
    _ = try await node.stageVolume(
      .init(
        volumeID: volume.volumeID, stagingTargetPath: path, volumeCapability: capability,
        volumeContext: volume.volumeContext))
  }

  func nodePublish(
    _ volume: CSI.Volume, _ capability: CSI.VolumeCapability = .mount(),
    at path: String = target, readonly: Bool = false
  ) async throws(CallError) {
    _ = try await node.publishVolume(
      .init(
        volumeID: volume.volumeID, stagingTargetPath: Self.staging, targetPath: path,
        volumeCapability: capability, readonly: readonly, volumeContext: volume.volumeContext))
  }
}

extension CSI.VolumeCapability {
  static func mount(
    _ mode: CSI.VolumeCapability.AccessMode.Mode = .singleNodeWriter, fsType: String = "",
    flags: [String] = [], group: String = ""
  ) -> Self {
    .init(
      accessType: .mount(.init(fsType: fsType, mountFlags: flags, volumeMountGroup: group)),
      accessMode: .init(mode: mode))
  }

  static func block(
    _ mode: CSI.VolumeCapability.AccessMode.Mode = .singleNodeWriter
  ) -> Self {
    .init(accessType: .block(.init()), accessMode: .init(mode: mode))
  }
}

/// Expects a call to fail with a code and words in its message.
func expect(
  _ code: GRPCCode, _ words: String = "", sourceLocation: SourceLocation = #_sourceLocation,
  _ call: () async throws -> some Any
) async {
  do {
    _ = try await call()
    Issue.record("succeeded instead of \(code)", sourceLocation: sourceLocation)
  } catch let error as CallError {
    #expect(error.statusCode == code, "\(error.message)", sourceLocation: sourceLocation)
    #expect(
      words.isEmpty || error.message.contains(words), "\(error.message)",
      sourceLocation: sourceLocation)
  } catch {
    Issue.record("\(error)", sourceLocation: sourceLocation)
  }
}
