import Glibc
import LinuxHost

// Holds the open /dev/fuse descriptors of a host's mounts while their daemon is replaced.

let usage = """
  usage: galleonfs-mountkeeper --socket PATH

  Keeps the mounts of a host alive while the daemon that serves them is replaced. Listens on a
  Unix socket (mode 0600) for that daemon. Ends when the daemon asks for it and no mount is kept;
  SIGTERM, SIGINT and SIGHUP are ignored, since its end would end all mounts.

  """

/// The value of --socket; nil when the arguments are not as `usage` says.
func socketPath(in arguments: ArraySlice<String>) -> String? {
  if arguments.count == 2, arguments.first == "--socket" { return arguments.last }
  let prefix = "--socket="
  guard arguments.count == 1, let only = arguments.first, only.hasPrefix(prefix) else { return nil }
  return String(only.dropFirst(prefix.count))
}

func say(_ text: String, to descriptor: Int32) {
  _ = text.withCString { write(descriptor, $0, strlen($0)) }
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.contains("--help") || arguments.contains("-h") {
  say(usage, to: 1)
  exit(0)
}
guard let path = socketPath(in: arguments), !path.isEmpty else {
  say(usage, to: 2)
  exit(2)
}

// Fails if this process leads a group already, and then it is in a session that somebody chose.
setsid()
for number in [SIGTERM, SIGINT, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }

do {
  let keeper = try MountKeeper.listening(at: path)
  // Whoever started us waits for the end of our output.
  close(1)
  _ = open("/dev/null", O_WRONLY)
  try keeper.run()
} catch {
  say("galleonfs-mountkeeper: \(error)\n", to: 2)
  exit(1)
}
