package import StorageModel

extension Array where Element == UInt8 {
  /// Lends the bytes to a decoder.
  package func decoded<Value>(
    _ decode: (UnsafeRawBufferPointer) throws(Corruption) -> Value
  ) throws(Corruption) -> Value {
    try withUnsafeBufferPointer { (buffer) throws(Corruption) in
      try decode(UnsafeRawBufferPointer(buffer))
    }
  }
}
