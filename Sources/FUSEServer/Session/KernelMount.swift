internal import Glibc

/// mount(2) and umount(2) of FUSE file systems.
enum KernelMount {
  /// Opens `/dev/fuse` and mounts it at a directory; returns the descriptor.
  static func mount(
    at path: String, _ configuration: SessionConfiguration
  ) throws(FUSEError) -> Int32 {
    let descriptor = open("/dev/fuse", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw FUSEError(
        operation: "open", path: "/dev/fuse", errorNumber: errno,
        advice: "load the kernel module fuse, and give the container the device")
    }
    var options = "fd=\(descriptor),rootmode=40000,user_id=\(getuid()),group_id=\(getgid())"
    options += ",default_permissions,allow_other"
    options += ",max_read=\(SessionConfiguration.maximumTransferByteCount)"
    let flags = configuration.mountFlags | (configuration.isReadOnly ? UInt(MS_RDONLY) : 0)
    let result = options.withCString { options in
      Glibc.mount(
        configuration.sourceName, path, "fuse." + configuration.subtype, flags, options)
    }
    guard result == 0 else {
      let error = errno
      close(descriptor)
      throw FUSEError(
        operation: "mount a file system", path: path, errorNumber: error, advice: advice(error))
    }
    return descriptor
  }

  static func unmount(_ path: String, lazily: Bool) throws(FUSEError) {
    guard umount2(path, lazily ? Int32(MNT_DETACH) : 0) == 0 else {
      throw FUSEError(
        operation: "unmount", path: path, errorNumber: errno,
        advice: errno == EBUSY ? "close the files that are open on it" : "")
    }
  }

  private static func advice(_ error: Int32) -> String {
    switch error {
    case EPERM: "mounting needs root (CAP_SYS_ADMIN)"
    case ENOENT, ENOTDIR: "the mount point has to be a directory that exists"
    case ENOTCONN: "a dead file system is mounted there: unmount it first"
    default: ""
    }
  }
}

extension FUSEError {
  package var description: String {
    let cause = String(cString: strerror(errorNumber))
    let place = path.isEmpty ? "" : " \(path)"
    return "cannot \(operation)\(place): \(cause)" + (advice.isEmpty ? "" : " (\(advice))")
  }
}
