import Foundation
import StorageModel

/// What lies on disk below a fixture.
extension NodeFixture {
  /// A fixture that another one, maybe of another process, made.
  init(existing directory: String) { self.directory = directory }

  /// Paths of the plain files below a directory of the storage path, sorted.
  func files(below path: String) throws -> [String] {
    let directory = "\(storagePath)/\(path)"
    return try FileManager.default.subpathsOfDirectory(atPath: directory).sorted()
      .map { "\(directory)/\($0)" }
      .filter { path in
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
          && !isDirectory.boolValue
      }
  }

  func segmentPaths(of volume: VolumeID) throws -> [String] {
    try files(below: "pool/segments/\(volume)")
  }

  /// Bytes of the host's disk that a volume's segments take, as du counts them.
  func occupiedBytes(of volume: VolumeID) throws -> Int {
    try segmentPaths(of: volume).reduce(0) { sum, path in
      var status = stat()
      guard stat(path, &status) == 0 else { throw POSIXError(.ENOENT) }
      return sum + Int(status.st_blocks) * 512
    }
  }
}
