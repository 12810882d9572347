internal import CLinux
internal import Glibc

extension HostFiles {
  /// Gives a directory to a group, writable for it and with set-group-ID, so that what is made in
  /// it belongs to the group too.
  package static func giveDirectory(
    _ path: String, toGroup groupID: UInt32
  ) throws(HostError) {
    var status = stat()
    try check(stat(path, &status), "look at", at: path)
    if status.st_gid != groupID {
      try check(chown(path, status.st_uid, groupID), "give the directory to a group", at: path)
    }
    let wanted = (status.st_mode | 0o2070) & 0o7777
    guard status.st_mode & 0o7777 != wanted || status.st_gid != groupID else { return }
    try check(chmod(path, wanted), "let the group write", at: path)
  }

  /// Writes back all that the kernel caches of the file system at a path (syncfs(2)).
  package static func syncFileSystem(at path: String) throws(HostError) {
    let directory = try check(
      open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open", at: path)
    defer { close(directory) }
    try check(clinux_sync_file_system(directory), "sync the file system", at: path)
  }
}
