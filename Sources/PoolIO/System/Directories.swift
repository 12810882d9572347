internal import Glibc
internal import StorageModel

/// Makes a directory and its entry in its parent durable; an existing one is fine.
func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(StoreError) {
  guard mkdir(path, mode) == 0 else {
    guard errno == EEXIST else { throw systemError("create directory \(path)") }
    return
  }
  try syncDirectory(parent(of: path))
}

/// On return the names in a directory are on stable storage.
func syncDirectory(_ path: String) throws(StoreError) {
  try OpenFile(path: path, flags: O_RDONLY | O_DIRECTORY).sync()
}

/// The names in a directory, without `.` and `..`, in no order.
func names(in path: String) throws(StoreError) -> [String] {
  guard let directory = opendir(path) else { throw systemError("list directory \(path)") }
  defer { closedir(directory) }
  var names: [String] = []
  errno = 0
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != "." && name != ".." { names.append(name) }
    errno = 0
  }
  guard errno == 0 else { throw systemError("list directory \(path)") }
  return names
}

func parent(of path: String) -> String {
  guard let end = path.lastIndex(of: "/") else { return "." }
  return end == path.startIndex ? "/" : String(path[..<end])
}

/// Puts a file with these bytes in place of `path`: on return it is durable, and after a crash
/// there is either the old file or the new one, whole.
func replaceFile(_ path: String, with bytes: [UInt8]) throws(StoreError) {
  let temporaryPath = path + ".new"
  let file = try OpenFile(path: temporaryPath, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
  try bytes.withBytes { (bytes) throws(StoreError) in try file.write(bytes, at: 0) }
  try file.sync()
  guard rename(temporaryPath, path) == 0 else { throw systemError("replace \(path)") }
  try syncDirectory(parent(of: path))
}
