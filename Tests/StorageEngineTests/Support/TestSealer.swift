import IOSeams
import StorageModel
import Synchronization

/// Numbers that look random and repeat for a seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Knows every nonce whose sealed bytes may have reached the disk.
final class NonceLedger: Sendable {
  private struct State {
    var pending: [(SealNonce, Int)] = []
    var persisted: [SealNonce: Int] = [:]
    var reuses: [SealNonce] = []
  }

  private let state = Mutex(State())

  func seal(_ nonce: SealNonce, _ content: Int) {
    state.withLock { $0.pending.append((nonce, content)) }
  }

  /// Seals made since the last call went to disk, whole or in part.
  func persistSeals() {
    state.withLock { state in
      for (nonce, content) in state.pending {
        if let before = state.persisted.updateValue(content, forKey: nonce), before != content {
          state.reuses.append(nonce)
        }
      }
      state.pending = []
    }
  }

  /// Seals made since the last call never left memory.
  func forgetSeals() { state.withLock { $0.pending = [] } }

  var reuses: [SealNonce] { state.withLock { $0.reuses } }
}

/// Seals as the real ones do, without their strength: tag over text, nonce and place.
struct TestSealer: BlockSealer {
  let encrypts: Bool
  let ledger: NonceLedger

  var tagByteCount: Int { encrypts ? 16 : 8 }

  func seal(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    nonce: SealNonce, place: SealPlace, tag: UnsafeMutableRawBufferPointer
  ) {
    if encrypts {
      target.copyMemory(from: source)
      Self.scramble(target, nonce)
    } else if source.baseAddress != UnsafeRawPointer(target.baseAddress) {
      target.copyMemory(from: source)
    }
    let sum = Self.sum(UnsafeRawBufferPointer(target), nonce, place)
    for index in 0..<tag.count {
      tag[index] = UInt8(truncatingIfNeeded: sum >> UInt64(8 * (index % 8)))
    }
    ledger.seal(nonce, Int(truncatingIfNeeded: sum))
  }

  func open(
    _ bytes: UnsafeMutableRawBufferPointer, nonce: SealNonce, place: SealPlace,
    tag: UnsafeRawBufferPointer
  ) -> Bool {
    let sum = Self.sum(UnsafeRawBufferPointer(bytes), nonce, place)
    for index in 0..<tag.count
    where tag[index] != UInt8(truncatingIfNeeded: sum >> UInt64(8 * (index % 8))) { return false }
    guard encrypts else { return true }
    Self.scramble(bytes, nonce)
    return true
  }

  private static func scramble(_ bytes: UnsafeMutableRawBufferPointer, _ nonce: SealNonce) {
    let key = mix(nonce)
    var offset = 0
    while offset + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      bytes.storeBytes(of: word ^ (key &+ UInt64(offset)), toByteOffset: offset, as: UInt64.self)
      offset += 8
    }
    while offset < bytes.count {
      bytes[offset] ^= UInt8(truncatingIfNeeded: key)
      offset += 1
    }
  }

  func nameHash(_ name: UnsafeRawBufferPointer) -> UInt64 {
    name.reduce(7) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  private static func mix(_ nonce: SealNonce) -> UInt64 {
    let parts = [
      nonce.epoch.rawValue, UInt64(nonce.incarnation.rawValue), nonce.lsn.rawValue,
      UInt64(nonce.position),
    ]
    return parts.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ $1) &* 0x9E37_79B9_7F4A_7C15 }
  }

  private static func sum(
    _ bytes: UnsafeRawBufferPointer, _ nonce: SealNonce, _ place: SealPlace
  ) -> UInt64 {
    var sum = mix(nonce)
    switch place {
    case .block(let object, let block):
      sum = (sum ^ object.rawValue &* 31 ^ block.rawValue) &* 0x100_0000_01B3
    case .value(let key):
      for byte in key.bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    var offset = 0
    while offset + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      sum = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
      sum ^= sum >> 29
      offset += 8
    }
    for byte in bytes[min(offset, bytes.count)...] { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return sum
  }
}
