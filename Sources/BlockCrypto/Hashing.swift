internal import CXXHash

/// XXH3-64 of bytes, with the default secret and seed 0: the checksum of journal and index.
package func xxh3(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  XXH3_64bits(bytes.baseAddress, bytes.count)
}

/// XXH3-64 of bytes with a seed of its own.
package func xxh3(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
  XXH3_64bits_withSeed(bytes.baseAddress, bytes.count, seed)
}
