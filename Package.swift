// swift-tools-version: 6.2

import PackageDescription

// The layers of GalleonFS, lowest first. A target depends only on targets of lower layers, and
// each C target has exactly one importer; `ArchitectureTests` holds this file to both rules.

let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")

/// A Swift target with the settings that all of ours share.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// An executable: it only composes what the rooms below it offer.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// The tests of one room, in `Tests/<room>Tests`.
func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies,
    swiftSettings: swiftSettings)
}

let package = Package(
  name: "GalleonFS",
  products: [
    .library(name: "GalleonFS", targets: ["GalleonFS"]),
    .executable(name: "galleonfs", targets: ["galleonfs"]),
    .executable(name: "galleonctl", targets: ["galleonctl"]),
    .executable(name: "galleonfs-mountkeeper", targets: ["galleonfs-mountkeeper"]),
    .executable(name: "galleonfs-bench", targets: ["galleonfs-bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
  ],
  targets: [
    // L0: C libraries. No pkgConfig for gRPC and RocksDB: see docs in the importing rooms.
    .systemLibrary(name: "CFuse3", providers: [.apt(["libfuse3-dev"])]),
    .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CXXHash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CRocksDB", providers: [.apt(["librocksdb-dev"])]),
    .systemLibrary(name: "CGRPC", providers: [.apt(["libgrpc-dev"])]),
    .target(name: "CProtoMessages", linkerSettings: [.linkedLibrary("protobuf-c")]),
    .target(name: "CLinux"),

    // L1: the words of the system as types.
    room("StorageModel"),

    // L2: what lies on disk, and the seams through which the logic reaches the world.
    room("DiskFormat", ["StorageModel"]),
    room("IOSeams", ["StorageModel"]),

    // L3: the logic. Pure: same input, same output.
    room("StorageEngine", ["StorageModel", "DiskFormat", "IOSeams"]),
    room("VFS", ["StorageModel", "IOSeams"]),

    // L4: the kernel, the disk, the network.
    room("PoolIO", ["StorageModel", "DiskFormat", "IOSeams", "CRocksDB"]),
    room("BlockCrypto", ["StorageModel", "IOSeams", "COpenSSL", "CXXHash"]),
    room("FUSEServer", ["StorageModel", "CFuse3"]),
    room("LinuxHost", ["StorageModel", "CLinux"]),
    room("GRPC", ["CGRPC"]),
    room("Messages", ["StorageModel", "CProtoMessages"]),

    // L5: the runtimes that drive the logic with the kernel, disk and network.
    room("MemoryFileSystem", ["StorageModel", "FUSEServer"]),
    room("EtcdClient", ["GRPC", "Messages"]),
    room(
      "NodeRuntime",
      [
        "StorageModel", "DiskFormat", "IOSeams", "StorageEngine", "VFS", "PoolIO", "BlockCrypto",
        "FUSEServer", "LinuxHost", logging,
      ]),
    room("DaemonConfiguration", ["StorageModel", toml, yams]),

    // L6: the cluster's configuration, and the engine as a library.
    room(
      "ClusterControl",
      [
        "StorageModel", "LinuxHost", "EtcdClient", "DaemonConfiguration",
        logging,
      ]),
    room("GalleonFS", ["StorageModel", "NodeRuntime", "DaemonConfiguration", logging]),

    // L7: the services.
    room(
      "ControlAPI",
      [
        "StorageModel", "GRPC", "Messages", "NodeRuntime", "ClusterControl", "DaemonConfiguration",
        logging,
      ]),
    room(
      "CSIDriver",
      [
        "StorageModel", "GRPC", "Messages", "LinuxHost", "NodeRuntime", "DaemonConfiguration",
        "ClusterControl", logging,
      ]),
    room(
      "CommandLineInterface",
      ["StorageModel", "GRPC", "Messages", "DaemonConfiguration", argumentParser]),

    // L8: the daemon as a whole.
    room(
      "Daemon",
      [
        "StorageModel", "GRPC", "LinuxHost", "NodeRuntime", "ClusterControl", "ControlAPI",
        "CSIDriver", "DaemonConfiguration", "Messages", logging, flyingFox,
      ]),

    // L9: executables.
    program(
      "galleonfs", ["Daemon", "CommandLineInterface", "DaemonConfiguration", argumentParser]),
    program("galleonctl", ["CommandLineInterface", "DaemonConfiguration", argumentParser]),
    program("galleonfs-mountkeeper", ["LinuxHost"]),
    program(
      "galleonfs-bench",
      [
        "StorageModel", "FUSEServer", "MemoryFileSystem", "NodeRuntime", "StorageEngine", "PoolIO",
        argumentParser,
      ]),

    // Tests.
    .testTarget(name: "ArchitectureTests", swiftSettings: swiftSettings),
    tests(of: "StorageModel"),
    tests(of: "DiskFormat", ["StorageModel"]),
    tests(of: "StorageEngine", ["StorageModel", "DiskFormat", "IOSeams"]),
    tests(of: "VFS", ["StorageModel", "IOSeams"]),
    tests(of: "PoolIO", ["StorageModel", "DiskFormat", "IOSeams"]),
    tests(of: "BlockCrypto", ["StorageModel", "IOSeams"]),
    tests(of: "FUSEServer", ["StorageModel", "MemoryFileSystem"]),
    tests(of: "LinuxHost", ["StorageModel", "galleonfs-mountkeeper"]),
    tests(of: "GRPC"),
    tests(of: "Messages", ["StorageModel", "CProtoMessages"]),
    tests(of: "EtcdClient", ["GRPC", "Messages"]),
    tests(of: "NodeRuntime", ["StorageModel", "IOSeams", logging]),
    tests(of: "DaemonConfiguration", ["StorageModel"]),
    tests(of: "ClusterControl", ["StorageModel", "EtcdClient", "DaemonConfiguration"]),
    tests(of: "GalleonFS", [logging]),
    tests(
      of: "CSIDriver",
      [
        "StorageModel", "GRPC", "Messages", "NodeRuntime", "DaemonConfiguration", "ClusterControl",
        logging,
      ]),
    tests(
      of: "CommandLineInterface",
      ["StorageModel", "Messages", "DaemonConfiguration", argumentParser]),
    tests(
      of: "ControlAPI",
      ["StorageModel", "Messages", "NodeRuntime", "ClusterControl", "DaemonConfiguration"]),
    tests(of: "Daemon", ["StorageModel", "GRPC", "Messages", "DaemonConfiguration"]),
  ],
  swiftLanguageModes: [.v6]
)
