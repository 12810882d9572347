import Glibc

@testable import LinuxHost

/// Calls `body` with a directory of its own, removed after with all that is mounted in it.
func withTemporaryDirectory(_ body: (String) throws -> Void) throws {
  var template = Array("/tmp/galleon-host-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else {
    throw HostError(operation: "make a directory", errorNumber: errno)
  }
  let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer {
    if let table = try? MountTable.current() {
      for entry in table.under(path).reversed() { umount2(entry.path, Int32(MNT_DETACH)) }
    }
    _ = try? ChildProcess.run("rm", ["-rf", path])
  }
  try body(path)
}

func makeFile(_ path: String, byteCount: Int) throws {
  let file = try check(open(path, O_CREAT | O_RDWR, 0o600), "make", at: path)
  defer { close(file) }
  try check(ftruncate(file, byteCount), "size", at: path)
}

func write(_ text: String, to path: String) throws {
  let file = try check(open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600), "make", at: path)
  defer { close(file) }
  _ = text.withCString { Glibc.write(file, $0, strlen($0)) }
}

/// The errno of a call that has to fail.
func errorNumber(_ body: () throws -> Void) -> Int32? {
  do {
    try body()
    return nil
  } catch {
    return (error as? HostError)?.errorNumber
  }
}

func exists<Value: ~Copyable>(_ value: borrowing Value?) -> Bool {
  switch value {
  case .some: true
  case .none: false
  }
}
