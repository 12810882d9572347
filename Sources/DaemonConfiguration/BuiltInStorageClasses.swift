package import StorageModel

/// The classes that exist from the start.
package enum BuiltInStorageClasses {
  /// The class of `volume create` when none is named.
  package static let standardName = "encrypted-storage"

  package static let all: [StorageClass] = [
    StorageClass(
      name: "fast-local-ssd", provisioner: "galleonfs.io/local-ssd",
      parameters: ["diskType": "ssd", "encryption": "false", "replication": "1"],
      reclaimPolicy: .delete, bindingMode: .immediate),
    StorageClass(
      name: "encrypted-storage", provisioner: "galleonfs.io/distributed",
      parameters: [
        "encryption": "true", "encryptionAlgorithm": "AES-256-GCM", "replication": "3",
      ],
      reclaimPolicy: .retain, bindingMode: .waitForFirstConsumer),
    StorageClass(
      name: "local-hdd", provisioner: "galleonfs.io/local-hdd",
      parameters: ["diskType": "hdd", "encryption": "false", "replication": "1"],
      reclaimPolicy: .delete, bindingMode: .immediate),
    StorageClass(
      name: "distributed", provisioner: "galleonfs.io/distributed",
      parameters: ["encryption": "false", "replication": "3"],
      reclaimPolicy: .delete, bindingMode: .immediate),
  ]
}
