import GRPC
import Messages
import Testing

/// Requests of random fields: each is answered, with an answer or a status that blames the caller.
@Suite struct FuzzTests {
  @Test(arguments: methods)
  func `no request brings the plugin down`(method: MethodPath) async throws {
    try await onSocket { bench, _ in
      let volume = try await bench.create("pvc-1")
      var generator = SeededGenerator(seed: UInt64(method.description.utf8.count))
      for round in 0..<150 {
        let bytes = randomMessage(&generator, id: volume.volumeID, depth: 3)
        do throws(GRPCStatus) {
          _ = try await bench.channel.unary(method, bytes)
        } catch {
          let ours: Set<GRPCCode> = [.internal, .unknown, .unavailable, .cancelled]
          #expect(!ours.contains(error.code), "\(method) round \(round): \(error)")
        }
      }
      _ = try await bench.call(CSI.IdentityService.probe, .init())
    }
  }
}

private let methods: [MethodPath] =
  [
    "CreateVolume", "DeleteVolume", "ControllerPublishVolume", "ControllerUnpublishVolume",
    "ValidateVolumeCapabilities", "ListVolumes", "GetCapacity", "ControllerExpandVolume",
    "ControllerGetVolume", "ControllerModifyVolume", "CreateSnapshot",
  ].map { MethodPath("csi.v1.Controller", $0) }
  + [
    "NodeStageVolume", "NodeUnstageVolume", "NodePublishVolume", "NodeUnpublishVolume",
    "NodeGetVolumeStats", "NodeExpandVolume", "NodeGetInfo",
  ].map { MethodPath("csi.v1.Node", $0) }

/// Fields 1 to 8 of likely types and unlikely values. Paths stay below a directory that is not
/// there, so that nothing of the host is touched.
private func randomMessage(
  _ generator: inout SeededGenerator, id: String, depth: Int
) -> [UInt8] {
  var bytes: [UInt8] = []
  for number in UInt8(1)...8 where Bool.random(using: &generator) {
    if Int.random(in: 0..<3, using: &generator) == 0 {
      bytes.append(number << 3)
      bytes += varint(randomNumber(&generator))
      continue
    }
    let payload =
      depth > 0 && Bool.random(using: &generator)
      ? randomMessage(&generator, id: id, depth: depth - 1) : randomText(&generator, id: id)
    bytes.append(number << 3 | 2)
    bytes += varint(UInt64(payload.count)) + payload
  }
  return bytes
}

private func randomNumber(_ generator: inout SeededGenerator) -> UInt64 {
  [0, 1, 2, 7, 4_096, 1 << 20, 1 << 62, .max, .max >> 1, UInt64(bitPattern: -1)]
    .randomElement(using: &generator) ?? 0
}

private func randomText(_ generator: inout SeededGenerator, id: String) -> [UInt8] {
  let texts = [
    "", id, id, "pvc-1", "node-1", "/nonexistent/galleon/a", "/nonexistent/../a", "a\0b", "ext4",
    "galleonfs", String(repeating: "x", count: 5_000), "blockSize", "é",
  ]
  return Array((texts.randomElement(using: &generator) ?? "").utf8)
}

private func varint(_ number: UInt64) -> [UInt8] {
  var (bytes, rest): ([UInt8], UInt64) = ([], number)
  while rest >= 0x80 {
    bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
    rest >>= 7
  }
  return bytes + [UInt8(rest)]
}

/// The same numbers for the same seed: xorshift64*.
private struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}
