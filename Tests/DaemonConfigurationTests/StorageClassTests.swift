import StorageModel
import Testing

@testable import DaemonConfiguration

@Suite struct StorageClassTests {
  static let fastJSON = """
    {
      "name": "ultra-fast-ssd",
      "provisioner": "galleonfs.io/nvme-ssd",
      "parameters": {
        "disk_type": "nvme",
        "fs_type": "xfs",
        "encryption": "false",
        "raid_level": "1"
      },
      "reclaim_policy": "Delete",
      "volume_binding_mode": "Immediate",
      "allowed_topologies": ["zone-a", "zone-b"],
      "mount_options": ["noatime", "nodiratime", "nobarrier"]
    }
    """
  static let secureYAML = """
    name: secure-distributed
    provisioner: galleonfs.io/distributed
    parameters:
      encryption: "true"
      encryption_algorithm: "AES-256-GCM"
      key_management: "external-kms"
      replication: "5"
      consistency_level: "strong"
    reclaim_policy: Retain
    volume_binding_mode: WaitForFirstConsumer
    allowed_topologies:
      - zone-a
      - zone-b
      - zone-c
    mount_options:
      - noatime
      - sync
    """

  @Test func `the JSON sample is read`() throws {
    let found = try StorageClassFile.parse(Self.fastJSON, path: "fast.json")
    #expect(found.name == "ultra-fast-ssd")
    #expect(found.parameters["diskType"] == "nvme" && found.parameters["fsType"] == "xfs")
    #expect(found.reclaimPolicy == .delete && found.bindingMode == .immediate)
    #expect(found.allowedTopologies == ["zone-a", "zone-b"])
    #expect(found.mountOptions == ["noatime", "nodiratime", "nobarrier"])
  }

  @Test func `the YAML sample is read`() throws {
    let found = try StorageClassFile.parse(Self.secureYAML, path: "secure.yaml")
    #expect(found.parameters["encryptionAlgorithm"] == "AES-256-GCM")
    #expect(found.parameters["replication"] == "5")
    #expect(found.reclaimPolicy == .retain && found.bindingMode == .waitForFirstConsumer)
  }

  @Test(arguments: [
    ("", "expected a map"), ("[1, 2]", "expected a map"), ("{\"name\"", "neither JSON nor YAML"),
    ("provisioner: galleonfs.io/x", "needs a \"name\""), ("name: ../x", "not allowed"),
    ("name: a\nparamters: {}", "parameters"), ("name: a\nname: b", ""),
    ("name: a\nreclaim_policy: Burn", "Delete, Retain"), ("name: a\nparameters: 3", "map"),
    ("name: a\nparameters: {a: [1]}", "texts"), ("name: a\nmount_options: sync", "list"),
    ("name: a\nprovisioner: ebs.csi.aws.com", "not ours"),
    ("name: a\nparameters: {colour: red}", "known are: allowDegraded"),
    ("name: a\nparameters: {replicatoin: 3}", "replication"),
    ("name: a\nparameters: {replication: 0}", "1 to 7"),
    ("name: a\nparameters: {disk_type: ssd, diskType: hdd}", "twice"),
    ("name: a\nparameters: {encryption: perhaps}", "true, false"),
    (
      "name: a\nparameters: {encryption: \"false\", encryption_algorithm: AES-256-GCM}",
      "contradicts"
    ),
    ("name: a\nmount_options: [shiny]", "unknown mount option"),
    ("name: a\nmount_options: [ro, rw]", "contradict"),
    ("name: a\nallowed_topologies: [\"a/b\"]", "zone"),
  ])
  func `a bad class is refused with what is wrong`(text: String, hint: String) {
    let refusal = #expect(throws: Refusal.self) {
      try StorageClassFile.parse(text, path: "class.yaml")
    }
    #expect(refusal?.message.contains(hint) == true, "\(refusal?.message ?? "")")
    #expect(refusal?.message.hasPrefix("class.yaml") == true)
  }

  @Test(arguments: BuiltInStorageClasses.all)
  func `a built-in class can exist`(storageClass: StorageClass) throws {
    try StorageClassFile.check(storageClass)
  }

  @Test func `what CSI adds about the claim is no parameter`() throws {
    let found = try VolumeParameters(parsing: ["csi.storage.k8s.io/pvc/name": "x"])
    #expect(found == (try VolumeParameters(parsing: [:])))
  }
}
