package import StorageModel

/// What a pool says of itself, in `pool.json`.
///
/// A flat JSON object: `formatVersion` (number), `id` and `created` (texts). Unknown members are
/// left alone by readers, so that later versions can add some.
package struct PoolDescription: Hashable, Sendable {
  /// The format of everything below the pool's directory.
  package static let currentFormatVersion = 1

  package var id: PoolID
  package var formatVersion: Int
  /// When the pool was made, as in RFC 3339; for people only.
  package var created: String

  package init(id: PoolID, formatVersion: Int = currentFormatVersion, created: String) {
    self.id = id
    self.formatVersion = formatVersion
    self.created = created
  }

  func encoded() -> [UInt8] {
    Array(
      """
      {
        "formatVersion": \(formatVersion),
        "id": "\(id)",
        "created": "\(created)"
      }

      """.utf8)
  }

  static func decode(_ bytes: [UInt8], path: String) throws(StoreError) -> PoolDescription {
    guard let members = FlatJSON.members(of: bytes) else {
      throw damaged(path, expected: "a JSON object of texts and numbers", found: "something else")
    }
    guard case .number(let version)? = members["formatVersion"] else {
      throw damaged(path, expected: "the member formatVersion", found: "none")
    }
    guard version == currentFormatVersion else {
      throw .invalid(
        "the pool of \(path) has format version \(version), this program knows "
          + "\(currentFormatVersion); use the version of GalleonFS that made it, or a later one")
    }
    guard case .text(let idText)? = members["id"], let id = PoolID(idText) else {
      throw damaged(path, expected: "a UUID as member id", found: "none")
    }
    guard case .text(let created)? = members["created"] else {
      throw damaged(path, expected: "the member created", found: "none")
    }
    return PoolDescription(id: id, formatVersion: version, created: created)
  }

  private static func damaged(_ path: String, expected: String, found: String) -> StoreError {
    .corrupt(Corruption(place: path, expected: expected, found: found))
  }
}
