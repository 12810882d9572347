package import FUSEServer
package import StorageModel
internal import Synchronization

extension MemoryFileSystem {
  package func openDirectory(
    _ context: RequestContext, inode: InodeNumber, flags: OpenFlags, reply: consuming OpenReply
  ) {
    reply.opened(.none)
  }

  package func readDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, position: UInt64,
    reply: consuming DirectoryReply
  ) {
    var reply = reply
    tree.withLock { tree in
      guard let directory = tree.files[inode] else { return }
      if position < 1, !Self.add(".", inode, nextPosition: 1, to: &reply) { return }
      if position < 2, !Self.add("..", directory.parent, nextPosition: 2, to: &reply) { return }
      for (name, entry) in directory.entriesInOrder(from: position) {
        guard let attributes = tree.files[entry.inode]?.attributes else { continue }
        let fits = name.withUnsafeBytes {
          reply.add(name: $0, attributes: attributes, nextPosition: entry.position + 1)
        }
        guard fits else { break }
        if reply.includesAttributes { tree.files[entry.inode]?.lookupCount += 1 }
      }
    }
    reply.finish()
  }

  private static func add(
    _ name: String, _ inode: InodeNumber, nextPosition: UInt64, to reply: inout DirectoryReply
  ) -> Bool {
    Array(name.utf8).withUnsafeBytes {
      reply.add(name: $0, inode: inode, kind: .directory, nextPosition: nextPosition)
    }
  }

  package func releaseDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, reply: consuming EmptyReply
  ) {
    reply.done()
  }

  package func syncDirectory(
    _ context: RequestContext, inode: InodeNumber, handle: FileHandle, dataOnly: Bool,
    reply: consuming EmptyReply
  ) {
    reply.done()
  }

  package func setExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, value: RequestBytes,
    mode: AttributeWriteMode, reply: consuming EmptyReply
  ) {
    let (name, value) = (Array(name), Array(value))
    let error = tree.withLock { tree -> FileError? in
      let exists = tree.files[inode]?.extendedAttributes[name] != nil
      if mode == .createOnly, exists { return .exists }
      if mode == .replaceOnly, !exists { return .noData }
      tree.files[inode]?.extendedAttributes[name] = value
      return nil
    }
    if let error { reply.fail(error) } else { reply.done() }
  }

  package func getExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes,
    reply: consuming ExtendedAttributeReply
  ) {
    let value = tree.withLock { tree -> [UInt8]? in
      guard let attributes = tree.files[inode]?.extendedAttributes, !attributes.isEmpty else {
        return nil
      }
      return attributes[Array(name)]
    }
    if let value { reply.value(value) } else { reply.fail(.noData) }
  }

  package func listExtendedAttributes(
    _ context: RequestContext, inode: InodeNumber, reply: consuming ExtendedAttributeReply
  ) {
    let attributes = tree.withLock { $0.files[inode]?.extendedAttributes ?? [:] }
    let names: [UInt8] = attributes.keys.flatMap { $0 + [0] }
    reply.value(names)
  }

  package func removeExtendedAttribute(
    _ context: RequestContext, inode: InodeNumber, name: RequestBytes, reply: consuming EmptyReply
  ) {
    let name = Array(name)
    let removed = tree.withLock { $0.files[inode]?.extendedAttributes.removeValue(forKey: name) }
    if removed != nil { reply.done() } else { reply.fail(.noData) }
  }
}

extension MemoryFile {
  fileprivate func entriesInOrder(from position: UInt64) -> [(key: [UInt8], value: Entry)] {
    entries.filter { $0.value.position >= position }.sorted {
      $0.value.position < $1.value.position
    }
  }
}
