/// Memory of one C message while it is packed; freed with the arena.
package final class MessageArena {
  private var allocations: [UnsafeMutableRawPointer] = []

  package init() {}

  deinit {
    for allocation in allocations { allocation.deallocate() }
  }

  /// Fresh memory, at least one byte, aligned for any member.
  package func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 16)
    allocations.append(memory)
    return memory
  }

  /// A copy of the bytes; nil for none.
  func copy(_ bytes: [UInt8]) -> UnsafeMutablePointer<UInt8>? {
    if bytes.isEmpty { return nil }
    let memory = allocate(byteCount: bytes.count)
    bytes.withUnsafeBytes {
      memory.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory), byteCount: $0.count)
    }
    return memory.assumingMemoryBound(to: UInt8.self)
  }
}
