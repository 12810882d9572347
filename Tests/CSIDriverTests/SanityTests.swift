import Foundation
import Testing

/// The checks of kubernetes-csi/csi-test themselves, where the program is at hand.
@Suite(
  .serialized,
  .enabled(if: Sanity.program != nil, "CSI_SANITY does not name a csi-sanity program"))
struct SanityTests {
  @Test(arguments: ["mount", "block"])
  func `csi-sanity finds no fault with the services`(access: String) async throws {
    try await onSocket { bench, _ in try await Sanity.run(bench, access) }
  }

  @Test(arguments: ["mount", "block"])
  func `csi-sanity finds no fault with a real node`(access: String) async throws {
    try await onRealNode { bench, _ in try await Sanity.run(bench, access) }
  }
}

enum Sanity {
  static let program = ProcessInfo.processInfo.environment["CSI_SANITY"]

  static func run(_ bench: SocketBench, _ access: String) async throws {
    let process = Process()
    process.executableURL = URL(filePath: try #require(program))
    process.arguments = [
      "--csi.endpoint", "unix://" + bench.socketPath, "--csi.testvolumeaccesstype", access,
      "--csi.testvolumesize", "67108864", "--csi.testvolumeexpandsize", "134217728",
      "--csi.mountdir", bench.directory + "/sanity-mount", "--csi.stagingdir",
      bench.directory + "/sanity-staging", "--ginkgo.no-color",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let reader = output.fileHandleForReading
    let text = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(
          returning: String(decoding: reader.readDataToEndOfFile(), as: UTF8.self))
      }
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text)")
    #expect(text.contains("0 Failed"))
  }
}
