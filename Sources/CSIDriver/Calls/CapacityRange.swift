import DaemonConfiguration
import Messages
import StorageModel

/// A `CapacityRange`, checked.
struct WantedCapacity: Hashable {
  /// Bytes of a volume whose creator names no size.
  static let standardBytes: UInt64 = 1 << 30

  var requiredBytes: UInt64
  /// nil: no limit.
  var limitBytes: UInt64?

  init(_ range: CSI.CapacityRange) throws(CallError) {
    guard range.requiredBytes >= 0, range.limitBytes >= 0 else {
      throw .invalid(
        "capacity_range must not be negative: required_bytes is \(range.requiredBytes), "
          + "limit_bytes is \(range.limitBytes)")
    }
    guard range.requiredBytes > 0 || range.limitBytes > 0 else {
      throw .invalid("capacity_range must have required_bytes or limit_bytes above 0")
    }
    requiredBytes = UInt64(range.requiredBytes)
    limitBytes = range.limitBytes > 0 ? UInt64(range.limitBytes) : nil
    if let limitBytes, limitBytes < requiredBytes {
      throw .invalid(
        "capacity_range.limit_bytes \(limitBytes) is below required_bytes \(requiredBytes)")
    }
  }

  /// The size of a new volume: whole blocks, at least what is required, within the limit.
  func newVolumeBytes(_ blockSize: BlockSize) throws(CallError) -> UInt64 {
    let wanted =
      requiredBytes > 0 ? requiredBytes : min(Self.standardBytes, limitBytes ?? Self.standardBytes)
    return try wholeBlocks(max(wanted, VolumeRequest.minimumSizeBytes), blockSize)
  }

  /// `bytes` rounded up to whole blocks; throws OUT_OF_RANGE if that breaks the limit.
  func wholeBlocks(_ bytes: UInt64, _ blockSize: BlockSize) throws(CallError) -> UInt64 {
    guard bytes <= VolumeRequest.maximumSizeBytes else {
      throw .outOfRange(
        "\(bytes) bytes are beyond the largest volume of \(VolumeRequest.maximumSizeBytes) bytes")
    }
    let rounded = blockSize.blockCount(holding: bytes) << UInt64(blockSize.shift)
    if let limitBytes, rounded > limitBytes {
      throw .outOfRange(
        "no size fits: volumes are whole blocks of \(blockSize.byteCount) bytes and at least "
          + "\(VolumeRequest.minimumSizeBytes) bytes, which makes \(rounded), above limit_bytes "
          + "\(limitBytes)")
    }
    return rounded
  }

  /// Whether a volume of this capacity is what was asked for.
  func allows(_ capacityBytes: UInt64) -> Bool {
    capacityBytes >= requiredBytes && capacityBytes <= limitBytes ?? .max
  }

  var description: String {
    "\(requiredBytes) to \(limitBytes.map(String.init) ?? "any number of") bytes"
  }
}
