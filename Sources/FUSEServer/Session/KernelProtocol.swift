/// Numbers of the kernel's protocol that libfuse's public headers do not give.
///
/// Source: linux/fuse.h, protocol 7.40.
enum KernelProtocol {
  /// Bytes of `struct fuse_in_header`: length, opcode (4), unique (8), node (16), user (24),
  /// group (28), process (32).
  static let requestHeadByteCount = 40
  /// Bytes before the data of a write: head and `struct fuse_write_in`.
  static let writeHeadByteCount = 80

  enum RequestOffset {
    static let opcode = 4
    static let unique = 8
    static let node = 16
    static let user = 24
    static let group = 28
    static let process = 32
  }

  enum Opcode {
    static let initialize: UInt32 = 26
    static let tmpfile: UInt32 = 51
  }

  /// Flags of INIT in `fuse_init_in.flags` and `fuse_init_out.flags`, both at this offset.
  static let initFlagsOffset = 12
  static let initHandleKillPrivilegesV2: UInt32 = 1 << 28

  /// `fuse_setattr_in.valid`: drop set-user-ID and set-group-ID.
  static let setAttributesKillPrivileges: UInt32 = 1 << 11
  /// Offset of `write_flags` in a whole write request, and the bit that says: drop privileges.
  static let writeFlagsOffset = 60
  static let writeKillPrivileges: UInt32 = 1 << 2

  /// lseek's `SEEK_DATA` and `SEEK_HOLE`, setxattr's `XATTR_CREATE` and `XATTR_REPLACE`.
  static let seekData: Int32 = 3
  static let seekHole: Int32 = 4
  static let attributeCreate: Int32 = 1
  static let attributeReplace: Int32 = 2

  /// `FUSE_NOTIFY_RESEND`: send again what was read but not answered.
  static let notifyResend: Int32 = 7
}
