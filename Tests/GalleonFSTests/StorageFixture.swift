import Foundation
import GalleonFS
import Logging

/// A storage path of its own, opened and closed around a test.
func withStorage<Result>(
  _ body: (GalleonFS, StoragePath) async throws -> Result
) async throws -> Result {
  let path = try StoragePath()
  defer { path.remove() }
  let storage = try await path.open()
  do {
    let result = try await body(storage, path)
    await storage.close()
    return result
  } catch {
    await storage.close()
    throw error
  }
}

struct StoragePath {
  let directory: String

  init() throws {
    directory = "/tmp/galleon-library-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
  }

  func open() async throws -> GalleonFS {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return try await GalleonFS(
      configuration: .init(storagePath: "\(directory)/storage", logger: logger))
  }

  func remove() { try? FileManager.default.removeItem(atPath: directory) }
}
