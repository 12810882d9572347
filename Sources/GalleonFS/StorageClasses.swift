import DaemonConfiguration
import NodeRuntime
import StorageModel

/// The classes that volumes can be made of, and what they are resolved with.
struct StorageClasses: Sendable {
  private let classes: [String: StorageClass]
  private let configuration: DaemonConfiguration

  init(_ configuration: GalleonFS.Configuration) throws(GalleonFSError) {
    do throws(Refusal) {
      var classes: [String: StorageClass] = [:]
      for known in BuiltInStorageClasses.all { classes[known.name] = known }
      for path in configuration.storageClassFiles {
        let added = try StorageClassFile.parse(try TextFile.read(path), path: path)
        classes[added.name] = added
      }
      self.classes = classes
      self.configuration = try DaemonConfiguration(
        flags: [
          .storagePath: configuration.storagePath,
          .journalSize: "\(configuration.journalByteCount)",
        ], environment: [:])
    } catch {
      throw GalleonFSError(error)
    }
  }

  var names: [String] { classes.keys.sorted() }

  /// Options that the class adds to each mount; none if the class is not known here.
  func mountOptions(ofClass name: String) -> [String] { classes[name]?.mountOptions ?? [] }

  /// What a volume will be, on a pool of this size; remarks are what the user should know.
  func plan(
    _ request: VolumeRequest, className: String?, id: VolumeID, poolByteCount: UInt64
  ) throws(GalleonFSError) -> VolumePlan {
    let name = className ?? BuiltInStorageClasses.standardName
    guard let storageClass = classes[name] else {
      throw .notFound(
        "no storage class \(name); there are: \(names.joined(separator: ", "))")
    }
    do throws(Refusal) {
      return try request.plan(
        id: id, class: storageClass,
        facts: ClusterFacts(
          nodeCount: 1, zones: [], diskType: nil, poolCapacityBytes: poolByteCount),
        configuration: configuration)
    } catch {
      throw GalleonFSError(error)
    }
  }
}
