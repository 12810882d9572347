/// Server reflection: tells clients which services there are and what their messages look like.
///
/// Answers `grpc.reflection.v1.ServerReflection` and its older name `v1alpha`, whose messages are
/// the same.
package struct ReflectionService: Sendable {
  package static let fullNames = [
    "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
  ]

  private let index: DescriptorIndex

  /// `fileDescriptorSet` is a serialized `google.protobuf.FileDescriptorSet`, imports included.
  /// Throws `internal` when it is malformed.
  package init(fileDescriptorSet: [UInt8]) throws(GRPCStatus) {
    do {
      index = try DescriptorIndex(fileDescriptorSet: fileDescriptorSet)
    } catch {
      throw GRPCStatus(.internal, "the file descriptor set: \(error)")
    }
  }

  /// Registers both services. What is listed is what the router holds by then, these included:
  /// call it last.
  package func register(in router: inout GRPCRouter) {
    let services = (router.services + Self.fullNames).sorted()
    for name in Self.fullNames {
      router.bidirectional(
        name, "ServerReflectionInfo", request: .reflectionRequest, response: .bytes,
        endsAtShutdown: true
      ) { requests, responses, _ in
        for try await request in requests {
          try await responses.send(answer(request, services: services))
        }
      }
    }
  }

  // ServerReflectionResponse: 1 valid_host, 2 original_request, 4 file_descriptor_response,
  // 5 all_extension_numbers_response, 6 list_services_response, 7 error_response.
  private func answer(_ request: ReflectionRequest, services: [String]) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.text(1, request.host)
    writer.bytes(2, request.bytes)
    switch request.question {
    case .fileByName(let name):
      writeFiles(of: name, &writer, missing: "no file \"\(name)\"")
    case .fileContainingSymbol(let symbol):
      writeFiles(of: index.file(containing: symbol), &writer, missing: "no symbol \"\(symbol)\"")
    case .fileContainingExtension(let wanted):
      writeFiles(
        of: index.file(containing: wanted), &writer,
        missing: "no extension \(wanted.number) of \"\(wanted.extendee)\"")
    case .extensionNumbers(let message):
      writeExtensionNumbers(of: message, &writer)
    case .listServices:
      // ListServiceResponse: 1 service, repeated. ServiceResponse: 1 name.
      writer.message(6) { list in
        for service in services { list.message(1) { $0.text(1, service) } }
      }
    case .none:
      writeError(.invalidArgument, "the request asks nothing that is known", &writer)
    }
    return writer.bytes
  }

  // FileDescriptorResponse: 1 file_descriptor_proto, repeated.
  private func writeFiles(of name: String?, _ writer: inout ProtobufWriter, missing: String) {
    guard let files = name.flatMap({ index.closure(of: $0) }) else {
      return writeError(.notFound, missing, &writer)
    }
    writer.message(4) { response in
      for file in files { response.bytes(1, file.bytes) }
    }
  }

  // ExtensionNumberResponse: 1 base_type_name, 2 extension_number, repeated.
  private func writeExtensionNumbers(of message: String, _ writer: inout ProtobufWriter) {
    guard let numbers = index.extensionNumbers(of: message) else {
      return writeError(.notFound, "no message \"\(message)\"", &writer)
    }
    writer.message(5) { response in
      response.text(1, message)
      for number in numbers { response.number(2, number) }
    }
  }

  // ErrorResponse: 1 error_code, 2 error_message.
  private func writeError(_ code: GRPCCode, _ message: String, _ writer: inout ProtobufWriter) {
    writer.message(7) { error in
      error.number(1, UInt64(code.rawValue))
      error.text(2, message)
    }
  }
}

/// A `ServerReflectionRequest`.
private struct ReflectionRequest: Sendable {
  enum Question: Sendable {
    case fileByName(String)
    case fileContainingSymbol(String)
    case fileContainingExtension(DescriptorIndex.Extension)
    case extensionNumbers(String)
    case listServices
  }

  var host = ""
  var question: Question?
  let bytes: [UInt8]

  // 1 host, 3 file_by_filename, 4 file_containing_symbol, 5 file_containing_extension,
  // 6 all_extension_numbers_of_type, 7 list_services.
  init(_ bytes: [UInt8]) throws(ProtobufError) {
    self.bytes = bytes
    var reader = ProtobufReader(bytes[...])
    while let (number, value) = try reader.next() {
      switch number {
      case 1: host = try value.requireText("host")
      case 3: question = .fileByName(try value.requireText("file_by_filename"))
      case 4: question = .fileContainingSymbol(try value.requireText("file_containing_symbol"))
      case 5:
        question = .fileContainingExtension(
          try Self.readExtension(try value.requireBytes("file_containing_extension")))
      case 6: question = .extensionNumbers(try value.requireText("all_extension_numbers_of_type"))
      case 7: question = .listServices
      default: break
      }
    }
  }

  // ExtensionRequest: 1 containing_type, 2 extension_number.
  private static func readExtension(
    _ bytes: ArraySlice<UInt8>
  ) throws(ProtobufError) -> DescriptorIndex.Extension {
    var type = ""
    var fieldNumber: UInt64 = 0
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      if number == 1 { type = try value.requireText("containing_type") }
      if number == 2 { fieldNumber = try value.requireNumber("extension_number") }
    }
    return DescriptorIndex.Extension(extendee: type, number: fieldNumber)
  }
}

extension MessageCodec<ReflectionRequest> {
  fileprivate static var reflectionRequest: MessageCodec {
    MessageCodec(decode: { try ReflectionRequest($0) }, encode: { $0.bytes })
  }
}
