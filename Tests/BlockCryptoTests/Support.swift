import IOSeams
import StorageModel

@testable import BlockCrypto

/// Bytes of a text of hexadecimal digits.
func hex(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map {
    UInt8(digits[$0] * 16 + digits[$0 + 1])
  }
}

func secret(_ bytes: [UInt8]) -> SecretBytes { bytes.withUnsafeBytes { SecretBytes(copying: $0) } }

let volume = VolumeID(UUIDValue(high: 0x0123_4567_89AB_4DEF, low: 0x8123_4567_89AB_CDEF))
let otherVolume = VolumeID(UUIDValue(high: 0x0123_4567_89AB_4DEF, low: 0x8123_4567_89AB_CDEE))
let block = SealPlace.block(object: ObjectNumber(7), block: BlockNumber(3))
let value = SealPlace.value(key: StoreKey([1, 2, 3]))

func nonce(epoch: UInt64 = 1, incarnation: UInt32 = 1, lsn: UInt64 = 1, position: UInt32 = 0)
  -> SealNonce
{
  SealNonce(
    epoch: Epoch(epoch), incarnation: Incarnation(incarnation), lsn: LSN(lsn), position: position)
}

struct Sealed {
  var text: [UInt8]
  var tag: [UInt8]
}

extension BlockSealer {
  func seal(_ text: [UInt8], _ nonce: SealNonce, _ place: SealPlace) -> Sealed {
    var sealed = Sealed(
      text: [UInt8](repeating: 0, count: text.count),
      tag: [UInt8](repeating: 0, count: tagByteCount))
    text.withUnsafeBytes { source in
      sealed.text.withUnsafeMutableBytes { target in
        sealed.tag.withUnsafeMutableBytes { tag in
          seal(source, into: target, nonce: nonce, place: place, tag: tag)
        }
      }
    }
    return sealed
  }

  /// nil if the tag does not verify.
  func open(_ sealed: Sealed, _ nonce: SealNonce, _ place: SealPlace) -> [UInt8]? {
    var text = sealed.text
    let isOpen = text.withUnsafeMutableBytes { bytes in
      sealed.tag.withUnsafeBytes { open(bytes, nonce: nonce, place: place, tag: $0) }
    }
    return isOpen ? text : nil
  }

  func nameHash(_ name: String) -> UInt64 { Array(name.utf8).withUnsafeBytes { nameHash($0) } }
}
