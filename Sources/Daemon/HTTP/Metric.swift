/// Every metric of the daemon: the one place where they are declared.
///
/// Names are `galleonfs_<object>_<what>_<unit>` in base units; counters end in `_total`. Labels are
/// from the closed set volume, name, namespace, persistentvolumeclaim, node, pool, method, code.
struct Metric {
  let name: String
  let kind: MetricsText.Kind
  let help: String

  static let buildInfo = Metric(
    name: "galleonfs_build_info", kind: .gauge, help: "1, labelled with the program's version.")
  static let ready = Metric(
    name: "galleonfs_node_ready", kind: .gauge, help: "1 while the node serves volumes.")
  static let etcdUp = Metric(
    name: "galleonfs_etcd_up", kind: .gauge, help: "1 while etcd answers.")
  static let etcdRestarts = Metric(
    name: "galleonfs_etcd_restarts_total", kind: .counter,
    help: "Times that the managed etcd was started again after it ended.")
  static let poolCapacity = Metric(
    name: "galleonfs_pool_capacity_bytes", kind: .gauge,
    help: "Size of the file system under the pool.")
  static let poolAvailable = Metric(
    name: "galleonfs_pool_available_bytes", kind: .gauge,
    help: "Free bytes of the file system under the pool.")
  static let poolProvisioned = Metric(
    name: "galleonfs_pool_provisioned_bytes", kind: .gauge,
    help: "Sum of the capacities of the pool's volumes.")
  static let poolJournal = Metric(
    name: "galleonfs_pool_journal_bytes", kind: .gauge, help: "Size of the pool's journal.")
  static let poolReadOnly = Metric(
    name: "galleonfs_pool_read_only", kind: .gauge, help: "1 while the pool refuses writes.")
  static let volumeCapacity = Metric(
    name: "galleonfs_volume_capacity_bytes", kind: .gauge, help: "Capacity of the volume.")
  static let volumeUsed = Metric(
    name: "galleonfs_volume_used_bytes", kind: .gauge,
    help: "Bytes that the volume's data occupies.")
  static let volumeFiles = Metric(
    name: "galleonfs_volume_files", kind: .gauge, help: "Files in the volume.")
  static let volumeDirectories = Metric(
    name: "galleonfs_volume_directories", kind: .gauge, help: "Directories in the volume.")
  static let volumeMounts = Metric(
    name: "galleonfs_volume_mounts", kind: .gauge, help: "Mounts of the volume on this node.")
  static let volumeRecords = Metric(
    name: "galleonfs_volume_records_total", kind: .counter,
    help: "Records that the volume's journal has seen, from its creation on.")
  static let volumeCorruptBlocks = Metric(
    name: "galleonfs_volume_corrupt_blocks", kind: .gauge,
    help: "Blocks that do not verify and have no good copy.")
  static let volumeReadOnly = Metric(
    name: "galleonfs_volume_read_only", kind: .gauge, help: "1 while the volume refuses writes.")
  static let volumeReplicasWanted = Metric(
    name: "galleonfs_volume_replicas_wanted", kind: .gauge, help: "Replicas that it shall have.")
  static let volumeReplicasInSync = Metric(
    name: "galleonfs_volume_replicas_in_sync", kind: .gauge, help: "Replicas that are in sync.")
  static let callDuration = Metric(
    name: "galleonfs_call_duration_seconds", kind: .histogram,
    help: "Duration of gRPC calls by method and code.")
  static let processResident = Metric(
    name: "process_resident_memory_bytes", kind: .gauge, help: "Memory in use.")
  static let processProcessor = Metric(
    name: "process_cpu_seconds_total", kind: .counter, help: "Processor time used.")
  static let processStart = Metric(
    name: "process_start_time_seconds", kind: .gauge, help: "Start, in seconds since 1970.")
  static let processDescriptors = Metric(
    name: "process_open_fds", kind: .gauge, help: "Open file descriptors.")

  static let all = [
    buildInfo, ready, etcdUp, etcdRestarts, poolCapacity, poolAvailable, poolProvisioned,
    poolJournal, poolReadOnly, volumeCapacity, volumeUsed, volumeFiles, volumeDirectories,
    volumeMounts, volumeRecords, volumeCorruptBlocks, volumeReadOnly, volumeReplicasWanted,
    volumeReplicasInSync, callDuration, processResident, processProcessor, processStart,
    processDescriptors,
  ]
}
