import Foundation
import Testing

/// The checks of kubernetes-csi/csi-test themselves, where the program is at hand.
@Suite struct SanityTests {
  static let program = ProcessInfo.processInfo.environment["CSI_SANITY"]

  @Test(
    .enabled(if: program != nil, "CSI_SANITY does not name a csi-sanity program"),
    arguments: ["mount", "block"])
  func `csi-sanity finds no fault`(access: String) async throws {
    try await onSocket { bench in
      let process = Process()
      process.executableURL = URL(filePath: try #require(Self.program))
      process.arguments = [
        "--csi.endpoint", "unix://" + bench.socketPath, "--csi.testvolumeaccesstype", access,
        "--csi.mountdir", bench.directory + "/sanity-mount", "--csi.stagingdir",
        bench.directory + "/sanity-staging", "--ginkgo.no-color",
      ]
      let output = Pipe()
      process.standardOutput = output
      process.standardError = output
      let text = try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { _ in }
        Thread.detachNewThread {
          let data = output.fileHandleForReading.readDataToEndOfFile()
          continuation.resume(returning: String(decoding: data, as: UTF8.self))
        }
        do { try process.run() } catch { continuation.resume(throwing: error) }
      }
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(text)")
      #expect(text.contains("0 Failed"))
    }
  }
}
