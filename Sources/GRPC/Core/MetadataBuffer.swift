import CGRPC

/// Metadata as the C core takes it, in memory that stays where it is.
final class MetadataBuffer {
  private let storage: UnsafeMutableBufferPointer<grpc_metadata>

  var start: UnsafeMutablePointer<grpc_metadata>? { storage.baseAddress }
  var count: Int { storage.count }

  init(_ metadata: GRPCMetadata) {
    storage = .allocate(capacity: metadata.entries.count)
    for (index, entry) in metadata.entries.enumerated() {
      var element = grpc_metadata()
      element.key = makeSlice(Array(entry.key.utf8))
      element.value = makeSlice(entry.value)
      storage.initializeElement(at: index, to: element)
    }
  }

  deinit {
    for element in storage {
      grpc_slice_unref(element.key)
      grpc_slice_unref(element.value)
    }
    storage.deallocate()
  }
}

extension GRPCMetadata {
  /// Copies what a call received; the array and its slices stay the caller's.
  init(copying array: grpc_metadata_array) {
    entries = UnsafeBufferPointer(start: array.metadata, count: array.count).map { element in
      var key = element.key
      var value = element.value
      return Entry(
        key: String(decoding: readBytes(&key), as: UTF8.self), value: readBytes(&value))
    }
  }

  /// Throws `invalidArgument` for what HTTP/2 cannot carry.
  func validate() throws(GRPCStatus) {
    for entry in entries {
      let key = makeSlice(Array(entry.key.utf8))
      let value = makeSlice(entry.value)
      defer {
        grpc_slice_unref(key)
        grpc_slice_unref(value)
      }
      guard grpc_header_key_is_legal(key) != 0 else {
        throw GRPCStatus(
          .invalidArgument,
          "metadata key \"\(entry.key)\": expected lower-case letters, digits, '-', '_' and '.'")
      }
      guard grpc_is_binary_header(key) != 0 || grpc_header_nonbin_value_is_legal(value) != 0 else {
        throw GRPCStatus(
          .invalidArgument,
          "metadata value of \(entry.key): expected printable ASCII, or a key that ends in -bin")
      }
    }
  }
}
