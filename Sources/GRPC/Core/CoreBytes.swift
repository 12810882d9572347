import CGRPC

/// A slice with a copy of the bytes; the caller unrefs it, or hands it over.
func makeSlice(_ bytes: [UInt8]) -> grpc_slice {
  bytes.withUnsafeBytes { buffer in
    grpc_slice_from_copied_buffer(
      buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
  }
}

/// A buffer with a copy of the bytes; the caller destroys it, or hands it over.
func makeByteBuffer(_ bytes: [UInt8]) -> UnsafeMutablePointer<grpc_byte_buffer>? {
  var slice = makeSlice(bytes)
  defer { grpc_slice_unref(slice) }
  return grpc_raw_byte_buffer_create(&slice, 1)
}

/// A copy of the slice's bytes; the slice stays the caller's.
func readBytes(_ slice: inout grpc_slice) -> [UInt8] {
  [UInt8](
    UnsafeBufferPointer(
      start: galleonfs_slice_start(&slice), count: galleonfs_slice_length(&slice)))
}

/// A copy of the message's bytes; the buffer stays the caller's.
func readBytes(_ buffer: UnsafeMutablePointer<grpc_byte_buffer>) -> [UInt8] {
  var reader = grpc_byte_buffer_reader()
  guard grpc_byte_buffer_reader_init(&reader, buffer) != 0 else { return [] }
  defer { grpc_byte_buffer_reader_destroy(&reader) }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(grpc_byte_buffer_length(buffer))
  var slice = grpc_slice()
  while grpc_byte_buffer_reader_next(&reader, &slice) != 0 {
    bytes.append(
      contentsOf: UnsafeBufferPointer(
        start: galleonfs_slice_start(&slice), count: galleonfs_slice_length(&slice)))
    grpc_slice_unref(slice)
  }
  return bytes
}
