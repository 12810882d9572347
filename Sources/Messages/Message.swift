/// A message of one of our wire protocols as a plain value.
///
/// The values are generated from `Proto/`; `visit` is the one list of a message's fields, and
/// decoding, encoding and printing are visitors that walk it. The bytes themselves are read and
/// written by protobuf-c, by the message's descriptor.
package protocol Message: FieldValue, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// Full name: `csi.v1.CreateVolumeRequest`.
  static var wireName: String { get }
  /// The descriptor's place in the table of C.
  static var tableIndex: Int { get }

  /// All fields at their defaults.
  init()

  /// Shows each field, in order of their numbers, to the visitor, which reads or replaces it.
  mutating func visit<V: FieldVisitor>(_ visitor: inout V) throws(V.Failure)
}

/// Why bytes are not the message they should be.
package enum MessageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Not protobuf, cut off, or a field of another type than the message has.
  case malformed(message: String, byteCount: Int)
  /// A string that is not UTF-8.
  case notUTF8(message: String, field: String)

  package var description: String {
    switch self {
    case .malformed(let message, let byteCount):
      "\(byteCount) bytes are not a \(message): expected protobuf with its field types"
    case .notUTF8(let message, let field):
      "field \(field) of \(message) is not UTF-8"
    }
  }
}

/// A method of a service, with the messages that it takes and gives.
package struct RPCMethod<Request: Message, Response: Message>: Sendable {
  /// Full name of the service: `csi.v1.Node`.
  package let service: String
  package let name: String
  package let clientStreams: Bool
  package let serverStreams: Bool

  package init(
    _ service: String, _ name: String, clientStreams: Bool = false, serverStreams: Bool = false
  ) {
    self.service = service
    self.name = name
    self.clientStreams = clientStreams
    self.serverStreams = serverStreams
  }

  /// As HTTP/2 carries it: `/csi.v1.Node/NodeGetInfo`.
  package var path: String { "/\(service)/\(name)" }
}
