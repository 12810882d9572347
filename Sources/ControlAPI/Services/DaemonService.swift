internal import DaemonConfiguration
internal import Messages
internal import NodeRuntime
internal import StorageModel

/// `galleonfs.v1.Daemon`
struct DaemonService: Sendable {
  let context: ControlContext

  func status(_ request: Control.DaemonStatusRequest) async throws(Refusal)
    -> Control.DaemonStatusResponse
  {
    let facts = context.daemon.facts
    let configuration = context.daemon.configuration
    var status = Control.DaemonStatusResponse()
    status.state = state
    status.version = facts.version
    status.nodeName = facts.nodeName
    status.nodeID = facts.nodeID
    status.processID = facts.processID
    status.startedAt = WellKnown.Timestamp(facts.startedAt)
    status.storagePath = configuration.storagePath
    status.bindAddress = configuration.bindAddress.description
    status.ipcAddress = facts.ipcAddress
    status.csiEndpoint = configuration.csiSocketPath.map { "unix://\($0)" } ?? ""
    status.httpAddress = facts.httpAddress
    status.mountPoint = configuration.mountPoint ?? ""
    let volumes = await context.node.volumes()
    status.volumes = UInt32(clamping: volumes.count)
    status.mounts = UInt32(clamping: await context.node.mounts().count)
    status.residentBytes = context.daemon.residentBytes
    status.messages = context.daemon.troubles + configuration.remarks
    if let pool = try? await context.node.poolStatus() {  // else the node is starting or stopping
      status.pools = [Self.message(pool, volumes)]
      if let reason = pool.readOnlyReason { status.messages.append("read-only pool: \(reason)") }
    }
    return status
  }

  func config(_ request: Control.DaemonConfigRequest) async throws(Refusal)
    -> Control.DaemonConfigResponse
  {
    let values = context.daemon.configuration.values
    var response = Control.DaemonConfigResponse()
    response.configPath = context.daemon.facts.configurationPath
    response.settings = Setting.allCases.map { setting in
      var message = Control.Setting()
      message.section = setting.section
      message.key = setting.key
      message.value = values[setting]?.text ?? ""
      message.source = Self.source(values[setting]?.source)
      message.reloadable = setting.isReloadable
      return message
    }
    return response
  }

  func stop(_ request: Control.StopDaemonRequest) async throws(Refusal)
    -> Control.StopDaemonResponse
  {
    context.daemon.requestStop(force: request.force)
    var response = Control.StopDaemonResponse()
    response.processID = context.daemon.facts.processID
    return response
  }

  func restart(_ request: Control.RestartDaemonRequest) async throws(Refusal)
    -> Control.RestartDaemonResponse
  {
    context.daemon.requestRestart(force: request.force)
    var response = Control.RestartDaemonResponse()
    response.processID = context.daemon.facts.processID
    return response
  }

  private var state: Control.DaemonState {
    switch context.daemon.phase {
    case .starting: .starting
    case .ready: context.daemon.troubles.isEmpty ? .ready : .degraded
    case .stopping: .stopping
    }
  }

  private static func message(_ pool: PoolStatus, _ volumes: [VolumeStatus]) -> Control.PoolStatus {
    var message = Control.PoolStatus()
    message.id = pool.id.description
    message.path = pool.path
    message.capacityBytes = pool.totalBytes
    message.availableBytes = pool.availableBytes
    message.usedBytes = volumes.map(\.usedBytes).reduce(0, &+)
    message.journalBytes = pool.journalBytes
    message.volumes = UInt32(clamping: volumes.count)
    return message
  }

  private static func source(_ source: SettingValue.Source?) -> Control.SettingSource {
    switch source {
    case nil, .preset: .default
    case .file: .file
    case .environment: .environment
    case .flag: .flag
    }
  }
}
