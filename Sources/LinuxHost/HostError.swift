internal import Glibc

/// Why the host could not do what it was asked.
package struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, as a verb with its object: `mount galleonfs`.
  package let operation: String
  /// Where; empty where the operation says it.
  package let path: String
  /// The errno of the C library; 0 when a program failed, and then `detail` says how.
  package let errorNumber: Int32
  /// What a program said, or what to do.
  package let detail: String

  package init(operation: String, path: String = "", errorNumber: Int32 = 0, detail: String = "") {
    self.operation = operation
    self.path = path
    self.errorNumber = errorNumber
    self.detail = detail
  }

  package var description: String {
    var text = "cannot \(operation)"
    if !path.isEmpty { text += " at \(path)" }
    if errorNumber != 0 { text += ": \(String(cString: strerror(errorNumber)))" }
    if !detail.isEmpty { text += errorNumber != 0 ? " (\(detail))" : ": \(detail)" }
    return text
  }
}

/// Throws the current errno if a call of the C library gave -1.
@discardableResult
func check<Result: SignedInteger>(
  _ result: Result, _ operation: @autoclosure () -> String, at path: @autoclosure () -> String = "",
  detail: @autoclosure () -> String = ""
) throws(HostError) -> Result {
  guard result == -1 else { return result }
  let number = errno
  throw HostError(
    operation: operation(), path: path(), errorNumber: number, detail: detail())
}
