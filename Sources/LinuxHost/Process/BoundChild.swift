internal import CLinux
internal import Glibc
package import StorageModel

/// Starts programs that must not outlive us.
package enum BoundChild {
  /// Starts `path`; when the calling *thread* ends, the kernel sends the child `deathSignal`. So
  /// call it on a thread that lives as long as the child shall.
  ///
  /// Its output goes to the descriptor `log` (nowhere if negative). Returns the process's id, to
  /// be waited for by the caller.
  package static func spawn(
    _ path: String, _ arguments: [String], environment: [String: String], log: Int32,
    deathSignal: Int32
  ) throws(IOFailure) -> Int32 {
    let words = CStrings([path] + arguments)
    let variables = CStrings(environment.map { "\($0.key)=\($0.value)" })
    let result = galleonfs_spawn_bound(
      path, words.pointers, variables.pointers, log, deathSignal)
    if result < 0 { throw IOFailure(operation: "start \(path)", errorNumber: -result) }
    return result
  }
}

/// A list of C strings that ends with a null pointer, as exec wants it.
final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ texts: [String]) {
    count = texts.count
    pointers = .allocate(capacity: count + 1)
    pointers.initialize(repeating: nil, count: count + 1)
    for (index, text) in texts.enumerated() { pointers[index] = strdup(text) }
  }

  deinit {
    for index in 0..<count { free(pointers[index]) }
    pointers.deinitialize(count: count + 1)
    pointers.deallocate()
  }
}
