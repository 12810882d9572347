import LinuxHost
import StorageModel
import Synchronization

/// All mounts of a node's volumes: made, found and undone.
///
/// Each volume has one FUSE mount in a private place (`VolumeSession`), block volumes also a loop
/// device on its `data`, and a private mount of the kernel's file system on that. What users see
/// are binds of these. Which binds exist is read from the kernel's table each time.
final class VolumeMounts: Sendable {
  private let directory: String
  private let keeper: MountKeeperClient?
  private let sessions = Mutex<[VolumeID: VolumeSession]>([:])
  private let busy = BusyVolumes()

  /// - Parameter directory: for the private mounts; made if it does not exist.
  init(directory: String, keeper: MountKeeperClient?) throws(NodeError) {
    do throws(HostError) {
      try HostFiles.makeDirectory(directory, permissions: 0o700)
      self.directory = try HostFiles.canonical(directory)
      try GuardDirectory.prepare("\(self.directory)/\(Self.guardName)")
    } catch {
      throw .host("\(error)")
    }
    self.keeper = keeper
  }

  // MARK: Private places

  /// Shown under every directory that a volume is mounted on, so that nobody writes into a path
  /// whose volume is not there.
  private static let guardName = "guard"
  private var guardPath: String { "\(directory)/\(Self.guardName)" }

  private func isGuard(_ entry: MountEntry) -> Bool { entry.root.hasSuffix("/mounts/guard") }

  private func basePath(_ id: VolumeID) -> String { "\(directory)/\(id)" }

  private func formattedPath(_ id: VolumeID, _ type: String) -> String {
    "\(directory)/\(id).\(type)"
  }

  private func devicePath(_ id: VolumeID) -> String { "\(basePath(id))/data" }

  // MARK: What is mounted

  /// Where a volume is mounted or attached, the private places left out.
  func records(of id: VolumeID) throws(NodeError) -> [MountRecord] {
    try host { () throws(HostError) in try self.find(id, in: .current()) }
  }

  private func find(_ id: VolumeID, in table: MountTable) throws(HostError) -> [MountRecord] {
    var found: [MountRecord] = []
    func add(_ entries: [MountEntry], kind: String) {
      for entry in entries where !entry.path.hasPrefix(directory + "/") {
        found.append(
          MountRecord(
            volume: id, path: entry.path, isReadOnly: entry.isReadOnly, options: entry.options,
            kind: kind))
      }
    }
    let source = VolumeSession.sourceName(of: id)
    add(table.entries.filter { $0.source == source }, kind: "galleonfs")
    for device in try LoopDevice.attached(to: devicePath(id)) {
      let name = device.path.split(separator: "/").last ?? ""
      add(
        table.entries.filter { $0.root == "/\(name)" && $0.type == "devtmpfs" }, kind: "block")
      add(
        table.entries.filter { $0.source == device.path && $0.root == "/" },
        kind: table.entries.first { $0.source == device.path }?.type ?? "block")
    }
    return found
  }

  // MARK: Mounting

  func mount(_ volume: VolumeHost, _ request: MountRequest) throws(NodeError) -> MountRecord {
    try busy.alone(with: volume.id) { () throws(NodeError) in
      var request = request
      request.path = try host { () throws(HostError) in
        if request.presentation != .device { try HostFiles.makeDirectory(request.path) }
        return try HostFiles.canonical(request.path)
      }
      let options = try MountRequestOptions(request, volume.specification)
      if let existing = try existingRecord(volume, request, options) { return existing }
      do throws(NodeError) {
        let source = try prepare(volume, request, options)
        try bind(source, request, options)
      } catch {
        // What was set up for this mount alone must not stay behind.
        if try records(of: volume.id).isEmpty { try tearDown(volume.id, lazily: false) }
        throw error
      }
      guard let record = try records(of: volume.id).last(where: { $0.path == request.path })
      else { throw .host("the mount at \(request.path) vanished") }
      return record
    }
  }

  /// The mount that the request asks for, if it exists; an error if something else is there.
  private func existingRecord(
    _ volume: VolumeHost, _ request: MountRequest, _ options: MountRequestOptions
  ) throws(NodeError) -> MountRecord? {
    let top = try host { () throws(HostError) in
      _ = try Mounts.detachDead(request.path)
      return try MountTable.current().top(at: request.path)
    }
    guard let top, !isGuard(top) else { return nil }
    guard let record = try records(of: volume.id).last(where: { $0.path == request.path })
    else { throw .pathOccupied(path: request.path, by: "\(top.type) of \(top.source)") }
    guard record.kind == request.presentation.kind,
      record.isReadOnly == options.binds.isReadOnly
    else {
      throw .pathOccupied(
        path: request.path,
        by: "the same volume as \(record.kind), \(record.isReadOnly ? "read-only" : "writable")")
    }
    return record
  }

  /// Sets up what is bound: the FUSE mount, and where needed the device and its file system.
  private func prepare(
    _ volume: VolumeHost, _ request: MountRequest, _ options: MountRequestOptions
  ) throws(NodeError) -> String {
    let id = volume.id
    _ = try session(of: volume, isSynchronous: options.isSynchronous)
    switch request.presentation {
    case .galleonfs:
      if let group = request.groupID { try volume.giveRoot(to: group) }
      return basePath(id)
    case .device: return try attachDevice(id).path
    case .formatted(let type):
      return try mountFormatted(id, type, options.fileSystemOptions, group: request.groupID)
    }
  }

  private func session(
    of volume: VolumeHost, isSynchronous: Bool
  ) throws(NodeError) -> VolumeSession {
    if let session = sessions.withLock({ $0[volume.id] }) {
      // One file system, one answer: the stricter mount decides for all.
      if isSynchronous, !volume.syncsEveryChange { try session.makeSynchronous(volume) }
      return session
    }
    let session = try VolumeSession(
      volume: volume, path: basePath(volume.id), keeper: keeper, isSynchronous: isSynchronous)
    sessions.withLock { $0[volume.id] = session }
    return session
  }

  private func attachDevice(_ id: VolumeID) throws(NodeError) -> LoopDevice {
    try host { () throws(HostError) in
      let file = devicePath(id)
      if let device = try LoopDevice.attached(to: file).first { return device }
      return try LoopDevice.attach(file, isReadOnly: false)
    }
  }

  /// Mounts the kernel's file system on the device, made first if the device is blank.
  private func mountFormatted(
    _ id: VolumeID, _ type: String, _ options: [String], group: UInt32?
  ) throws(NodeError) -> String {
    guard let fileSystem = DeviceFileSystem(rawValue: type) else {
      throw .invalid(
        "file system \(type) is not known; use galleonfs, "
          + DeviceFileSystem.allCases.map(\.rawValue).joined(separator: " or "))
    }
    let device = try attachDevice(id)
    let path = formattedPath(id, type)
    return try host { () throws(HostError) in
      if try MountTable.current().isMountPoint(path) { return path }
      switch try DeviceFileSystem.probe(device.path) {
      case .nothing: try fileSystem.make(on: device.path)
      case .fileSystem(type): try fileSystem.check(device.path)
      case .fileSystem(let other), .other(let other):
        throw HostError(
          operation: "mount \(type) of \(device.path)",
          detail: "the volume holds \(other); nothing was changed")
      }
      try HostFiles.makeDirectory(path, permissions: 0o700)
      try Mounts.mount(
        source: device.path, at: path, type: type, options: MountOptions(options))
      if let group { try HostFiles.giveDirectory(path, toGroup: group) }
      return path
    }
  }

  private func bind(
    _ source: String, _ request: MountRequest, _ options: MountRequestOptions
  ) throws(NodeError) {
    try host { () throws(HostError) in
      if request.presentation == .device {
        try HostFiles.makeFile(request.path)
      } else {
        try GuardDirectory.place(guardPath, at: request.path)
      }
      try Mounts.bind(source, at: request.path, options: options.binds)
    }
  }

  // MARK: Unmounting

  /// Undoes the mount at a path. False if nothing of ours is there.
  func unmount(path: String, of id: VolumeID, lazily: Bool) throws(NodeError) -> Bool {
    try busy.alone(with: id) { () throws(NodeError) in
      let records = try records(of: id)
      guard records.contains(where: { $0.path == path }) else { return false }
      try host { () throws(HostError) in try removeMount(at: path, lazily: lazily) }
      if try self.records(of: id).isEmpty { try tearDown(id, lazily: lazily) }
      return true
    }
  }

  /// Undoes all mounts of a volume. `lazily`: also those whose files are open.
  func unmountAll(of id: VolumeID, lazily: Bool) throws(NodeError) {
    try busy.alone(with: id) { () throws(NodeError) in
      for record in try records(of: id).reversed() {
        try host { () throws(HostError) in try removeMount(at: record.path, lazily: lazily) }
      }
      try tearDown(id, lazily: lazily)
    }
  }

  /// Removes the mount at a path and the guard under it.
  private func removeMount(at path: String, lazily: Bool) throws(HostError) {
    try Mounts.unmount(path, lazily: lazily)
    if let rest = try MountTable.current().top(at: path), isGuard(rest) {
      try Mounts.unmount(path, lazily: lazily)
    }
  }

  /// Takes the private mounts and the device down; data is written back on the way.
  private func tearDown(_ id: VolumeID, lazily: Bool) throws(NodeError) {
    try host { () throws(HostError) in
      for type in DeviceFileSystem.allCases {
        let path = formattedPath(id, type.rawValue)
        guard try MountTable.current().isMountPoint(path) else { continue }
        try Mounts.unmount(path, lazily: lazily)
        try HostFiles.removeDirectory(path)
      }
      for device in try LoopDevice.attached(to: devicePath(id)) { try device.detach() }
    }
    guard let session = sessions.withLock({ $0[id] }) else { return }
    try session.end(lazily: lazily)
    sessions.withLock { $0[id] = nil }
  }

  // MARK: Life of the daemon

  /// Brings back what an earlier daemon left mounted: adopted from the keeper, or else mounted
  /// anew on the same paths.
  func restore(_ volume: VolumeHost) throws(NodeError) {
    try busy.alone(with: volume.id) { () throws(NodeError) in
      let base = basePath(volume.id)
      let isMounted = try host { () throws(HostError) in
        try MountTable.current().isMountPoint(base)
      }
      let records = try records(of: volume.id)
      guard isMounted || !records.isEmpty else { return }
      if keeper != nil, isMounted {
        // Nobody can tell a mount that waits for us from one that died, but the keeper.
        _ = try session(of: volume, isSynchronous: false)
        if try host({ () throws(HostError) in try MountTable.current().isMountPoint(base) }),
          !records.isEmpty, !records.contains(where: { Mounts.isDead($0.path) })
        {
          return
        }
      }
      try remount(volume, records)
    }
  }

  private func remount(_ volume: VolumeHost, _ records: [MountRecord]) throws(NodeError) {
    let id = volume.id
    let source = VolumeSession.sourceName(of: id)
    let isSynchronous = try host { () throws(HostError) in
      let table = try MountTable.current()
      return table.entries.contains { $0.source == source && $0.isSynchronous }
    }
    try host { () throws(HostError) in
      for record in records.reversed() { try Mounts.unmount(record.path, lazily: true) }
      for type in DeviceFileSystem.allCases {
        try Mounts.unmountAll(formattedPath(id, type.rawValue), lazily: true)
      }
      for device in try LoopDevice.attached(to: devicePath(id)) { try device.detach() }
      if sessions.withLock({ $0[id] == nil }) {
        try Mounts.unmountAll(basePath(id), lazily: true)
      }
    }
    for record in records {
      let presentation: MountRequest.Presentation =
        switch record.kind {
        case "galleonfs": .galleonfs
        case "block": .device
        default: .formatted(fileSystem: record.kind)
        }
      let request = MountRequest(
        path: record.path, presentation: presentation, isReadOnly: record.isReadOnly,
        options: isSynchronous ? ["sync"] : [])
      let options = try MountRequestOptions(request, volume.specification)
      try bind(try prepare(volume, request, options), request, options)
    }
    if records.isEmpty { try tearDown(id, lazily: true) }
  }

  /// Leaves all mounts to the next daemon.
  func handOver() {
    for session in sessions.withLock({ Array($0.values) }) { session.handOver() }
    sessions.withLock { $0 = [:] }
  }

  var hasKeeper: Bool { keeper != nil }

  /// Whether the volume is mounted by us, wherever.
  func isMounted(_ id: VolumeID) -> Bool { sessions.withLock { $0[id] != nil } }

  // MARK: Changes of a mounted volume

  /// Takes over a volume's new size: its device and the file system on it grow.
  func grow(_ id: VolumeID) throws(NodeError) {
    try busy.alone(with: id) { () throws(NodeError) in
      sessions.withLock { $0[id] }?.invalidateAttributes(of: InodeNumber(2))
      try host { () throws(HostError) in
        for device in try LoopDevice.attached(to: devicePath(id)) {
          try device.updateCapacity()
          for type in DeviceFileSystem.allCases {
            let path = formattedPath(id, type.rawValue)
            guard try MountTable.current().isMountPoint(path) else { continue }
            try type.grow(device: device.path, mountedAt: path)
          }
        }
      }
    }
  }

  /// Has the kernel write back what it caches of a volume.
  func writeBack(_ id: VolumeID) throws(NodeError) {
    guard sessions.withLock({ $0[id] }) != nil else { return }
    try host { () throws(HostError) in
      for type in DeviceFileSystem.allCases {
        let path = formattedPath(id, type.rawValue)
        if try MountTable.current().isMountPoint(path) { try HostFiles.syncFileSystem(at: path) }
      }
      try HostFiles.syncFileSystem(at: basePath(id))
    }
  }

  private func host<Result>(
    _ body: () throws(HostError) -> Result
  ) throws(NodeError) -> Result {
    do throws(HostError) { return try body() } catch { throw .host("\(error)") }
  }
}
