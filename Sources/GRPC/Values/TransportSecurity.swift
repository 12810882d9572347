import CGRPC

/// A certificate chain (leaf first) and its private key, both in PEM.
package struct TLSIdentity: Sendable {
  package var certificateChainPEM: [UInt8]
  package var privateKeyPEM: [UInt8]

  package init(certificateChainPEM: [UInt8], privateKeyPEM: [UInt8]) {
    self.certificateChainPEM = certificateChainPEM
    self.privateKeyPEM = privateKeyPEM
  }
}

/// How a server protects a listening address.
package enum ServerSecurity: Sendable {
  /// Plain text: for Unix sockets and loopback.
  case insecure
  /// TLS; with roots, clients must show a certificate that one of them signed.
  case tls(TLSIdentity, clientRootsPEM: [UInt8]?)

  /// Credentials that the caller releases; nil when the C core refuses them.
  func makeCredentials() throws(GRPCStatus) -> OpaquePointer? {
    switch self {
    case .insecure:
      return grpc_insecure_server_credentials_create()
    case .tls(let identity, let clientRootsPEM):
      let pair = try PEMPair(identity)
      let roots = try clientRootsPEM.map { pem throws(GRPCStatus) in
        try PEMText(pem, what: "roots of clients", label: "CERTIFICATE")
      }
      var corePair = pair.corePair
      return grpc_ssl_server_credentials_create_ex(
        roots?.start, &corePair, 1,
        roots == nil
          ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
          : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
        nil)
    }
  }
}

/// How a channel protects its connections.
package enum ClientSecurity: Sendable {
  /// Plain text: for Unix sockets and loopback.
  case insecure
  /// TLS. The server must show a certificate for the target's host (or `serverName`) that one of
  /// the roots signed; nil roots are those of the system. The identity is shown on demand.
  case tls(rootsPEM: [UInt8]?, identity: TLSIdentity? = nil, serverName: String? = nil)

  /// Credentials that the caller releases; nil when the C core refuses them.
  func makeCredentials() throws(GRPCStatus) -> OpaquePointer? {
    switch self {
    case .insecure:
      return grpc_insecure_credentials_create()
    case .tls(let rootsPEM, let identity, _):
      let roots = try rootsPEM.map { pem throws(GRPCStatus) in
        try PEMText(pem, what: "roots of the server", label: "CERTIFICATE")
      }
      guard let identity else {
        return grpc_ssl_credentials_create_ex(roots?.start, nil, nil, nil)
      }
      let pair = try PEMPair(identity)
      var corePair = pair.corePair
      return grpc_ssl_credentials_create_ex(roots?.start, &corePair, nil, nil)
    }
  }

  func add(to arguments: CoreArguments) {
    guard case .tls(_, _, let serverName?) = self else { return }
    arguments.set(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, serverName)
    arguments.set(GRPC_ARG_DEFAULT_AUTHORITY, serverName)
  }
}

/// PEM as a C string in memory that stays where it is, and is wiped at the end.
private final class PEMText {
  private let storage: UnsafeMutableBufferPointer<CChar>

  var start: UnsafePointer<CChar>? { UnsafePointer(storage.baseAddress) }

  init(_ bytes: [UInt8], what: String, label: String) throws(GRPCStatus) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.contains("-----BEGIN "), text.contains("\(label)-----"), !bytes.contains(0) else {
      throw GRPCStatus(.invalidArgument, "\(what): expected PEM with a \(label)")
    }
    storage = .allocate(capacity: bytes.count + 1)
    for (index, byte) in bytes.enumerated() {
      storage.initializeElement(at: index, to: CChar(bitPattern: byte))
    }
    storage.initializeElement(at: bytes.count, to: 0)
  }

  deinit {
    storage.update(repeating: 0)
    storage.deallocate()
  }
}

/// A certificate chain and a key in memory that stays where it is.
private final class PEMPair {
  private let chain: PEMText
  private let key: PEMText

  init(_ identity: TLSIdentity) throws(GRPCStatus) {
    chain = try PEMText(
      identity.certificateChainPEM, what: "certificate chain", label: "CERTIFICATE")
    key = try PEMText(identity.privateKeyPEM, what: "private key", label: "PRIVATE KEY")
  }

  /// Valid as long as this object.
  var corePair: grpc_ssl_pem_key_cert_pair {
    grpc_ssl_pem_key_cert_pair(private_key: key.start, cert_chain: chain.start)
  }
}
