import Glibc

// Functions of the C library that Swift's Glibc module leaves out.

@_silgen_name("renameat2")
private func cRenameAt2(
  _ oldDirectory: Int32, _ oldPath: UnsafePointer<CChar>, _ newDirectory: Int32,
  _ newPath: UnsafePointer<CChar>, _ flags: UInt32
) -> Int32

@_silgen_name("fallocate")
func fallocate(_ file: Int32, _ mode: Int32, _ offset: Int, _ length: Int) -> Int32

@_silgen_name("setxattr")
func setxattr(
  _ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, _ value: UnsafeRawPointer?,
  _ byteCount: Int, _ flags: Int32
) -> Int32

@_silgen_name("getxattr")
func getxattr(
  _ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, _ value: UnsafeMutableRawPointer?,
  _ byteCount: Int
) -> Int

@_silgen_name("listxattr")
func listxattr(
  _ path: UnsafePointer<CChar>, _ list: UnsafeMutablePointer<CChar>?, _ byteCount: Int
) -> Int

@_silgen_name("removexattr")
func removexattr(_ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>) -> Int32

func renameat2(_ old: String, _ new: String, _ flags: UInt32) -> Int32 {
  cRenameAt2(AT_FDCWD, old, AT_FDCWD, new, flags)
}
