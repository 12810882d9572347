import CProtoMessages

/// What server reflection tells of our protocols.
package enum ProtoDescriptors {
  /// A serialized `google.protobuf.FileDescriptorSet` of all files in `Proto/` and of those that
  /// they import, imports first.
  package static let fileDescriptorSet: [UInt8] = {
    var byteCount = 0
    let start = galleonfs_file_descriptor_set(&byteCount)
    return [UInt8](UnsafeBufferPointer(start: start, count: byteCount))
  }()
}
