import Glibc

/// Starts a detached thread with all signals blocked (they belong to the main thread); false if
/// the system has no thread to give. `name` has at most 15 bytes.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
  let box = Unmanaged.passRetained(ThreadBody(name: name, body: body))
  var blocked = sigset_t()
  var previous = sigset_t()
  sigfillset(&blocked)
  pthread_sigmask(SIG_SETMASK, &blocked, &previous)
  defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      let box = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
      nameCurrentThread(box.name)
      box.body()
      return nil
    }, box.toOpaque())
  guard code == 0 else {
    box.release()
    return false
  }
  pthread_detach(thread)
  return true
}

private final class ThreadBody: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

/// What `top -H` shows; by proc(5), since the C function is not importable.
private func nameCurrentThread(_ name: String) {
  let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  _ = name.withCString { write(descriptor, $0, strlen($0)) }
}
