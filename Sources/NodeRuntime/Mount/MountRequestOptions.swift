import LinuxHost
import StorageModel

/// A request's mount options, sorted by who carries them out.
struct MountRequestOptions {
  /// Flags of the bind that the user sees.
  var binds: MountOptions
  /// Every change is durable before it is answered.
  var isSynchronous = false
  /// For the kernel's file system on the device.
  var fileSystemOptions: [String] = []

  /// Options that state what the volume is; refused where it is not so.
  private static let encryptedOption = "encrypted"

  init(_ request: MountRequest, _ specification: VolumeSpecification) throws(NodeError) {
    var all: [String] = []
    for option in request.options.flatMap({ $0.split(separator: ",").map(String.init) }) {
      switch option {
      case "sync": isSynchronous = true
      case Self.encryptedOption:
        guard specification.encryption != .none else {
          throw .invalid(
            "option encrypted: volume \(specification.name) is not encrypted; "
              + "create it with storage class encrypted-storage")
        }
      default: all.append(option)
      }
    }
    binds = MountOptions(all)
    binds.isReadOnly = binds.isReadOnly || request.isReadOnly
    if case .formatted = request.presentation {
      fileSystemOptions = binds.remaining + (isSynchronous ? ["sync"] : [])
      isSynchronous = false
    } else if let unknown = binds.remaining.first {
      throw .invalid(
        "mount option \(unknown) is not known; use ro, rw, sync, encrypted, noatime, nodiratime, "
          + "relatime, nosuid, nodev, noexec")
    }
    if specification.content == .fileSystem, request.presentation != .galleonfs {
      throw .invalid("volume \(specification.name) is a file system, not a block volume")
    }
  }
}

extension MountRequest.Presentation {
  /// As `MountRecord.kind` names it.
  var kind: String {
    switch self {
    case .galleonfs: "galleonfs"
    case .formatted(let type): type
    case .device: "block"
    }
  }
}
