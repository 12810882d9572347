/// Which symbol lies in which file, for server reflection.
///
/// Made from a serialized `google.protobuf.FileDescriptorSet`; the descriptors stay bytes, only
/// names are read.
struct DescriptorIndex: Sendable {
  struct File: Sendable {
    var name = ""
    var package = ""
    var dependencies: [String] = []
    /// Serialized `FileDescriptorProto`.
    let bytes: [UInt8]
  }

  struct Extension: Hashable, Sendable {
    /// Full name of the message that is extended.
    let extendee: String
    let number: UInt64
  }

  private(set) var files: [String: File] = [:]
  /// Full names of messages, enumerations, services, methods, fields and extensions.
  private var fileOfSymbol: [String: String] = [:]
  private var fileOfExtension: [Extension: String] = [:]
  /// Full names of all messages: extension numbers are asked of those.
  private var messages: Set<String> = []

  init(fileDescriptorSet: [UInt8]) throws(ProtobufError) {
    var reader = ProtobufReader(fileDescriptorSet[...])
    while let (number, value) = try reader.next() {
      // FileDescriptorSet: 1 file, repeated.
      if number == 1 { try add(Array(try value.requireBytes("file"))) }
    }
  }

  /// The file and all that it imports, itself first; nil for an unknown name.
  func closure(of name: String) -> [File]? {
    guard let first = files[name] else { return nil }
    var found = [first]
    var names: Set<String> = [name]
    var index = 0
    while index < found.count {
      for dependency in found[index].dependencies where names.insert(dependency).inserted {
        if let file = files[dependency] { found.append(file) }
      }
      index += 1
    }
    return found
  }

  func file(containing symbol: String) -> String? {
    fileOfSymbol[symbol.hasPrefix(".") ? String(symbol.dropFirst()) : symbol]
  }

  func file(containing extension: Extension) -> String? { fileOfExtension[`extension`] }

  /// nil for a message that is not known.
  func extensionNumbers(of message: String) -> [UInt64]? {
    guard messages.contains(message) else { return nil }
    return fileOfExtension.keys.filter { $0.extendee == message }.map(\.number).sorted()
  }

  // FileDescriptorProto: 1 name, 2 package, 3 dependency, 4 message_type, 5 enum_type, 6 service,
  // 7 extension.
  private mutating func add(_ bytes: [UInt8]) throws(ProtobufError) {
    var file = File(bytes: bytes)
    var reader = ProtobufReader(bytes[...])
    while let (number, value) = try reader.next() {
      switch number {
      case 1: file.name = try value.requireText("name")
      case 2: file.package = try value.requireText("package")
      case 3: file.dependencies.append(try value.requireText("dependency"))
      default: break
      }
    }
    files[file.name] = file
    try addSymbols(of: bytes[...], scope: file.package, file: file.name)
  }

  private mutating func addSymbols(
    of bytes: ArraySlice<UInt8>, scope: String, file: String
  ) throws(ProtobufError) {
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      switch number {
      case 4: try addMessage(try value.requireBytes("message_type"), scope, file)
      case 5: _ = try addNamed(try value.requireBytes("enum_type"), scope, file)
      case 6:
        let service = try value.requireBytes("service")
        let name = try addNamed(service, scope, file)
        // ServiceDescriptorProto: 2 method.
        try addChildren(of: service, field: 2, scope: name, file)
      case 7: try addExtension(try value.requireBytes("extension"), scope, file)
      default: break
      }
    }
  }

  // DescriptorProto: 2 field, 3 nested_type, 4 enum_type, 6 extension, 8 oneof_decl.
  private mutating func addMessage(
    _ bytes: ArraySlice<UInt8>, _ scope: String, _ file: String
  ) throws(ProtobufError) {
    let name = try addNamed(bytes, scope, file)
    messages.insert(name)
    for field in [2, 4, 8] { try addChildren(of: bytes, field: field, scope: name, file) }
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      if number == 3 { try addMessage(try value.requireBytes("nested_type"), name, file) }
      if number == 6 { try addExtension(try value.requireBytes("extension"), name, file) }
    }
  }

  private mutating func addChildren(
    of bytes: ArraySlice<UInt8>, field: Int, scope: String, _ file: String
  ) throws(ProtobufError) {
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      if number == field { _ = try addNamed(try value.requireBytes("child"), scope, file) }
    }
  }

  // FieldDescriptorProto: 2 extendee, 3 number.
  private mutating func addExtension(
    _ bytes: ArraySlice<UInt8>, _ scope: String, _ file: String
  ) throws(ProtobufError) {
    _ = try addNamed(bytes, scope, file)
    var extendee = ""
    var fieldNumber: UInt64 = 0
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      if number == 2 { extendee = try value.requireText("extendee") }
      if number == 3 { fieldNumber = try value.requireNumber("number") }
    }
    if extendee.hasPrefix(".") { extendee.removeFirst() }
    fileOfExtension[Extension(extendee: extendee, number: fieldNumber)] = file
  }

  /// Adds the descriptor's own name (its field 1) under the scope; returns the full name.
  private mutating func addNamed(
    _ bytes: ArraySlice<UInt8>, _ scope: String, _ file: String
  ) throws(ProtobufError) -> String {
    var name = ""
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      if number == 1 { name = try value.requireText("name") }
    }
    let fullName = scope.isEmpty ? name : "\(scope).\(name)"
    fileOfSymbol[fullName] = file
    return fullName
  }
}
