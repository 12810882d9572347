internal import ClusterControl
internal import ControlAPI
internal import NodeRuntime
internal import StorageModel

/// Reads the figures of node, cluster and process at the moment they are asked for.
struct MetricsCollector: Sendable {
  let node: any NodeServices
  let catalog: VolumeCatalog
  let process: DaemonProcess
  let calls: CallStatistics
  /// nil when the user brought etcd.
  let etcd: EtcdSupervisor?

  func text() async -> String {
    var metrics = MetricsText()
    await addNode(to: &metrics)
    await addVolumes(to: &metrics)
    calls.write(to: &metrics)
    addProcess(to: &metrics)
    return metrics.text
  }

  private func addNode(to metrics: inout MetricsText) async {
    let facts = process.facts
    metrics.add(.buildInfo, 1, [("version", facts.version), ("node", facts.nodeName)])
    metrics.add(.ready, process.phase == .ready ? 1 : 0, [("node", facts.nodeName)])
    let isUp = (try? await catalog.storeStatus()) != nil  // the metric is the answer
    metrics.add(.etcdUp, isUp ? 1 : 0)
    if let etcd { metrics.add(.etcdRestarts, UInt64(etcd.restartCount)) }
    guard let pool = try? await node.poolStatus() else { return }  // starting or stopping
    let labels = [("node", facts.nodeName), ("pool", pool.id.description)]
    metrics.add(.poolCapacity, pool.totalBytes, labels)
    metrics.add(.poolAvailable, pool.availableBytes, labels)
    metrics.add(.poolProvisioned, pool.provisionedBytes, labels)
    metrics.add(.poolJournal, pool.journalBytes, labels)
    metrics.add(.poolReadOnly, pool.readOnlyReason == nil ? 0 : 1, labels)
  }

  private func addVolumes(to metrics: inout MetricsText) async {
    let entries = (try? await catalog.volumes()) ?? []  // etcd away: figures without labels
    var byID: [VolumeID: VolumeEntry] = [:]
    for found in entries { byID[found.entry.id] = found.entry }
    let all = await node.volumes().map { (status: $0, labels: labels($0, byID)) }
    func each(_ metric: Metric, _ value: (VolumeStatus) -> UInt64) {
      for volume in all { metrics.add(metric, value(volume.status), volume.labels) }
    }
    each(.volumeCapacity) { $0.specification.capacityBytes }
    each(.volumeUsed) { $0.usedBytes }
    each(.volumeFiles) { $0.fileCount }
    each(.volumeDirectories) { $0.directoryCount }
    each(.volumeMounts) { UInt64($0.mounts.count) }
    each(.volumeRecords) { $0.lastLSN.rawValue }
    each(.volumeCorruptBlocks) { UInt64($0.corruptBlocks.count) }
    each(.volumeReadOnly) { $0.readOnlyReason == nil ? 0 : 1 }
    each(.volumeReplicasWanted) { UInt64(clamping: $0.specification.replicaCount) }
    each(.volumeReplicasInSync) { UInt64(byID[$0.specification.id]?.members.count ?? 1) }
  }

  private func labels(_ status: VolumeStatus, _ byID: [VolumeID: VolumeEntry]) -> [(String, String)]
  {
    let id = status.specification.id
    var labels = [("volume", id.description), ("name", status.specification.name)]
    let claim = byID[id]?.labels ?? [:]
    if let name = claim["csi.storage.k8s.io/pvc/namespace"] { labels.append(("namespace", name)) }
    if let name = claim["csi.storage.k8s.io/pvc/name"] {
      labels.append(("persistentvolumeclaim", name))
    }
    return labels
  }

  private func addProcess(to metrics: inout MetricsText) {
    metrics.add(.processResident, ProcessFigures.residentBytes)
    metrics.add(.processProcessor, ProcessFigures.processorSeconds)
    metrics.add(.processStart, Double(process.facts.startedAt.seconds))
    metrics.add(.processDescriptors, UInt64(ProcessFigures.openDescriptorCount))
  }
}
