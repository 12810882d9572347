/// How messages of one kind become bytes and come out of them.
package struct MessageCodec<Message: Sendable>: Sendable {
  /// Throws for bytes that are not the message.
  package let decode: @Sendable ([UInt8]) throws -> Message
  package let encode: @Sendable (Message) throws -> [UInt8]

  package init(
    decode: @escaping @Sendable ([UInt8]) throws -> Message,
    encode: @escaping @Sendable (Message) throws -> [UInt8]
  ) {
    self.decode = decode
    self.encode = encode
  }
}

extension MessageCodec<[UInt8]> {
  /// Messages that stay bytes.
  package static var bytes: MessageCodec { MessageCodec(decode: { $0 }, encode: { $0 }) }
}

/// A method of a service: `/csi.v1.Identity/Probe`.
package struct MethodPath: Hashable, Sendable, CustomStringConvertible {
  /// Full name of the service: `csi.v1.Identity`.
  package let service: String
  package let method: String

  package init(_ service: String, _ method: String) {
    self.service = service
    self.method = method
  }

  /// nil unless of the form `/service/method`.
  package init?(path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].isEmpty, !parts[1].isEmpty, !parts[2].isEmpty else {
      return nil
    }
    self.init(String(parts[1]), String(parts[2]))
  }

  /// As HTTP/2 carries it.
  package var description: String { "/\(service)/\(method)" }
}
