import Glibc
import Testing

@testable import LinuxHost

@Suite(.serialized) struct MountTests {
  private static let table = """
    22 1 254:0 / / rw,noatime - ext4 /dev/root rw
    23 22 0:21 / /proc rw,nosuid - proc proc rw
    30 22 0:40 / /mnt/a\\040b\\134c rw,relatime shared:1 master:2 - fuse.galleonfs galleonfs ro
    31 22 254:0 /srv/part /mnt/bind ro,nodev - ext4 /dev/root rw,errors=continue
    nonsense
    32 22 0:41 / /mnt/bind rw - tmpfs tmpfs rw,size=1k
    33 22 0:42 / /mnt/bind/below rw - tmpfs none

    """

  @Test func `a mount table is parsed with its escapes and optional fields`() throws {
    let table = MountTable(parsing: Array(Self.table.utf8))
    #expect(table.entries.map(\.id) == [22, 23, 30, 31, 32, 33])
    let odd = try #require(table.top(at: "/mnt/a b\\c"))
    #expect(odd.type == "fuse.galleonfs")
    #expect(odd.source == "galleonfs")
    #expect(odd.isReadOnly)
    #expect(odd.options == ["rw", "relatime"])
    #expect(table.stack(at: "/mnt/bind").map(\.type) == ["ext4", "tmpfs"])
    #expect(table.top(at: "/mnt/bind")?.device == "0:41")
    #expect(table.stack(at: "/mnt/bind")[0].root == "/srv/part")
    #expect(table.stack(at: "/mnt/bind")[0].isReadOnly)
    #expect(table.under("/mnt/bind").map(\.id) == [31, 32, 33])
    #expect(table.mounts(ofDevice: "254:0").map(\.path) == ["/", "/mnt/bind"])
    #expect(!table.isMountPoint("/mnt"))
  }

  @Test func `each truncation of a mount table is parsed without a trap`() {
    let bytes = Array(Self.table.utf8)
    for count in 0...bytes.count { _ = MountTable(parsing: Array(bytes[..<count])) }
  }

  @Test func `mount options become flags, and what is no flag remains`() {
    let options = MountOptions(["ro,noatime", "nosuid", "size=1k", "rw", "wild", "defaults", "x-a"])
    #expect(!options.isReadOnly)
    #expect(options.flags == UInt(MS_NOATIME) | UInt(MS_NOSUID))
    #expect(options.remaining == ["size=1k", "wild"])
    #expect(options.data == "size=1k,wild")
    var readOnly = options
    readOnly.isReadOnly = true
    #expect(readOnly.flags & UInt(MS_RDONLY) != 0)
  }

  @Test func `a bind mount may be read-only while its source is not`() throws {
    try withTemporaryDirectory { directory in
      let (source, target) = (directory + "/source", directory + "/target")
      try HostFiles.makeDirectory(source)
      try HostFiles.makeDirectory(target)
      try write("a", to: source + "/file")
      try Mounts.bind(source, at: target, options: MountOptions(["ro"]))
      #expect(try HostFiles.contents(of: target + "/file") == [97])
      #expect(errorNumber { try write("b", to: target + "/file") } == EROFS)
      try write("b", to: source + "/file")
      #expect(try MountTable.current().top(at: target)?.isReadOnly == true)
      try Mounts.remountBind(target, options: MountOptions([]))
      try write("c", to: target + "/file")
      try Mounts.unmount(target)
      try Mounts.unmount(target)
      #expect(try !MountTable.current().isMountPoint(target))
    }
  }

  @Test func `a file is bound over a file`() throws {
    try withTemporaryDirectory { directory in
      try write("seen", to: directory + "/a")
      try HostFiles.makeFile(directory + "/b")
      try Mounts.bind(directory + "/a", at: directory + "/b")
      #expect(try HostFiles.contents(of: directory + "/b") == Array("seen".utf8))
      let error = #expect(throws: HostError.self) { try Mounts.bind("/tmp", at: directory + "/b") }
      #expect(error?.description.contains("directory cannot be shown at a file") == true)
      try Mounts.unmountAll(directory + "/b")
    }
  }

  @Test func `a guard lies under its target and takes no writes, not even from root`() throws {
    try withTemporaryDirectory { directory in
      let (empty, target) = (directory + "/guard", directory + "/target")
      try GuardDirectory.prepare(empty)
      try HostFiles.makeDirectory(target)
      try GuardDirectory.place(empty, at: target)
      try GuardDirectory.place(empty, at: target)
      #expect(try MountTable.current().stack(at: target).count == 1)
      #expect(errorNumber { try write("x", to: target + "/file") } == EROFS)
      try Mounts.mount(
        source: "tmpfs", at: target, type: "tmpfs", options: MountOptions(["size=1m", "noatime"]))
      try write("x", to: target + "/file")
      #expect(try MountTable.current().top(at: target)?.options.contains("noatime") == true)
      try Mounts.unmountAll(target)
      #expect(try !MountTable.current().isMountPoint(target))
    }
  }

  @Test func `a busy mount says so, and goes lazily`() throws {
    try withTemporaryDirectory { directory in
      try Mounts.mount(source: "tmpfs", at: directory, type: "tmpfs", options: MountOptions())
      let file = open(directory + "/file", O_CREAT | O_RDWR, 0o600)
      #expect(errorNumber { try Mounts.unmount(directory) } == EBUSY)
      try Mounts.unmount(directory, lazily: true)
      close(file)
    }
  }

  @Test func `paths are made canonical without a look at their end`() throws {
    try withTemporaryDirectory { directory in
      try check(symlink(directory, directory + "/link"), "link")
      #expect(try HostFiles.canonical(directory + "/link/absent/") == directory + "/absent")
      #expect(try HostFiles.canonical("/") == "/")
      for bad in ["relative", directory + "/..", directory + "/absent/file"] {
        #expect(throws: HostError.self) { try HostFiles.canonical(bad) }
      }
    }
  }

  @Test func `targets are made, and refused where something else is`() throws {
    try withTemporaryDirectory { directory in
      try HostFiles.makeDirectory(directory + "/a/b/c")
      try HostFiles.makeFile(directory + "/file")
      #expect(try HostFiles.kind(of: directory + "/a/b/c") == .directory)
      #expect(try HostFiles.kind(of: directory + "/file") == .regular)
      #expect(try HostFiles.kind(of: directory + "/file/below") == .absent)
      #expect(errorNumber { try HostFiles.makeDirectory(directory + "/file") } == ENOTDIR)
      #expect(errorNumber { try HostFiles.makeFile(directory + "/a") } == EISDIR)
      #expect(try HostFiles.space(at: directory).totalBytes > 0)
    }
  }
}
