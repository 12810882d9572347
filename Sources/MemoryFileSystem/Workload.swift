internal import Glibc

/// A system call of a benchmark that failed.
package struct BenchError: Error, CustomStringConvertible {
  package let description: String

  package init(_ operation: String) {
    description = "cannot \(operation): \(String(cString: strerror(errno)))"
  }
}

/// One kind of operation, done many times.
package struct Workload: Sendable {
  package let name: String
  let operation: @Sendable (_ directory: String, _ index: Int) throws -> Void

  private static let block = [UInt8](repeating: 7, count: 4096)

  package static let all = [
    Workload(name: "create 4 KiB file") { directory, index in
      try withFile("\(directory)/file\(index)", O_CREAT | O_EXCL | O_WRONLY) { file in
        try check(write(file, block, block.count), "write")
      }
    },
    Workload(name: "stat") { directory, index in
      var status = stat()
      try check(stat("\(directory)/file\(index)", &status), "stat")
    },
    Workload(name: "open, read 4 KiB, close") { directory, index in
      try withFile("\(directory)/file\(index)", O_RDONLY) { file in
        var buffer = block
        try check(pread(file, &buffer, buffer.count, 0), "read")
      }
    },
    Workload(name: "open, overwrite 4 KiB, fdatasync, close") { directory, index in
      try withFile("\(directory)/file0", O_WRONLY) { file in
        try check(pwrite(file, block, block.count, 0), "write")
        try check(fdatasync(file), "fdatasync")
      }
    },
    Workload(name: "rename") { directory, index in
      try check(rename("\(directory)/file\(index)", "\(directory)/name\(index)"), "rename")
    },
    Workload(name: "unlink") { directory, index in
      try check(unlink("\(directory)/name\(index)"), "unlink")
    },
    Workload(name: "mkdir, rmdir") { directory, index in
      try check(mkdir("\(directory)/directory\(index)", 0o755), "mkdir")
      try check(rmdir("\(directory)/directory\(index)"), "rmdir")
    },
  ]

  /// A line with operations a second and, where `totals` gives any, requests per operation.
  package func measure(
    in directory: String, count: Int, totals: () -> [String: UInt64]
  ) throws -> String {
    let before = totals()
    let clock = ContinuousClock()
    let duration = try clock.measure {
      for index in 0..<count { try operation(directory, index) }
    }
    let requests = totals().merging(before) { $0 - $1 }.filter { $0.value > 0 }
    let rate = Int(Double(count) / (duration / .seconds(1)))
    let line = name + String(repeating: " ", count: max(1, 42 - name.count)) + "\(rate)/s"
    guard !requests.isEmpty else { return line }
    return line + "   " + Self.list(requests, operationCount: count)
  }

  /// Requests by kind, per operation.
  package static func list(_ totals: [String: UInt64], operationCount: Int) -> String {
    totals.sorted { $0.key < $1.key }
      .map { "\($0) \((Double($1) / Double(operationCount) * 100).rounded() / 100)" }
      .joined(separator: ", ")
  }

  private static func withFile(
    _ path: String, _ flags: Int32, _ body: (Int32) throws -> Void
  ) throws {
    let file = try check(open(path, flags, 0o644), "open \(path)")
    defer { close(file) }
    try body(file)
  }

  @discardableResult
  private static func check<Result: SignedInteger>(
    _ result: Result, _ operation: String
  ) throws -> Result {
    if result == -1 { throw BenchError(operation) }
    return result
  }
}
