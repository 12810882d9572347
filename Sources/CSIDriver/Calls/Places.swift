import Messages

/// Where a node is: its name and, if it was told one, its zone.
package struct NodePlace: Hashable, Sendable {
  package var name: String
  package var zone: String?

  package init(name: String, zone: String? = nil) {
    self.name = name
    self.zone = zone
  }

  static let nodeKey = "topology.galleonfs.io/node"
  static let zoneKey = "topology.galleonfs.io/zone"

  var topology: CSI.Topology {
    var segments = [Self.nodeKey: name]
    segments[Self.zoneKey] = zone
    return CSI.Topology(segments: segments)
  }

  /// Whether the node lies in the place.
  func lies(in topology: CSI.Topology) -> Bool {
    topology.segments.allSatisfy { key, value in
      key == Self.nodeKey ? value == name : value == zone
    }
  }

  /// Throws for keys that are not ours.
  static func check(_ topology: CSI.Topology) throws(CallError) {
    for key in topology.segments.keys.sorted() where key != nodeKey && key != zoneKey {
      throw .invalid(
        "topology key \"\(Fields.shown(key))\" is not known; known are: \(nodeKey), \(zoneKey)")
    }
  }
}
