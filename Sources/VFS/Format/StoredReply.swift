import StorageModel

/// What an operation answered, as far as it cannot be found out again.
enum Reply: Hashable {
  case done
  /// The attributes of an inode: as they are when the reply is asked for again.
  case inode(InodeNumber)
}

/// The answer to one request, written by the record that carried the request out.
///
/// Version 1, little-endian: version (1), kind (1: 0 = done, 1 = inode), sequence (8), inode (8).
struct StoredReply: Hashable {
  let sequence: UInt64
  let reply: Reply

  private static let version: UInt8 = 1

  init(sequence: UInt64, reply: Reply) {
    self.sequence = sequence
    self.reply = reply
  }

  var encoded: [UInt8] {
    var writer = ByteWriter(capacity: 18)
    writer.append(Self.version)
    switch reply {
    case .done:
      writer.append(0 as UInt8)
      writer.append(sequence)
      writer.append(0 as UInt64)
    case .inode(let number):
      writer.append(1 as UInt8)
      writer.append(sequence)
      writer.append(number.rawValue)
    }
    return writer.bytes
  }

  /// Reads a stored reply; bytes that are none are `StoreError.corrupt`.
  init(decoding bytes: [UInt8]) throws(FileSystemFailure) {
    var reader = ByteReader(bytes)
    let version: UInt8 = reader.read()
    let kind: UInt8 = reader.read()
    sequence = reader.read()
    let number: UInt64 = reader.read()
    guard version == Self.version else {
      throw .corrupt("stored reply", expected: "version \(Self.version)", found: "\(version)")
    }
    guard reader.isValid, reader.isAtEnd, kind < 2 else {
      throw .corrupt(
        "stored reply", expected: "kind, sequence and inode",
        found: "\(bytes.count) bytes that are none")
    }
    reply = kind == 0 ? .done : .inode(InodeNumber(number))
  }
}
