internal import DaemonConfiguration
internal import Glibc

/// An etcd that a killed daemon left behind; it would hold the data directory's lock.
struct StaleEtcd {
  /// `<storage>/etcd`
  let directory: String

  /// Ends the process of the pid file, if it still is an etcd on this very directory.
  func end() throws(Refusal) {
    guard let pid = recorded, isOurs(pid) else { return }
    kill(pid, SIGTERM)
    for attempt in 0..<600 {
      if !isOurs(pid) { return }
      if attempt == 500 { kill(pid, SIGKILL) }
      poll(nil, 0, 10)
    }
    throw Refusal(.internal, "etcd of an earlier daemon (process \(pid)) does not end")
  }

  private var recorded: pid_t? {
    guard let text = try? TextFile.read(directory + "/pid"),  // no file: nothing was left
      let pid = pid_t(text.filter { $0 != "\n" }), pid > 1
    else { return nil }
    return pid
  }

  /// By its command line: a number may long belong to somebody else.
  private func isOurs(_ pid: pid_t) -> Bool {
    guard let text = try? TextFile.read("/proc/\(pid)/cmdline") else { return false }  // gone
    let words = text.split(separator: "\0")
    guard words.first?.hasSuffix("etcd") == true else { return false }
    return words.contains { $0 == directory + "/data" }
  }
}
