import StorageModel
import Testing

struct VolumeModelTests {
  @Test func `access modes bear the names of CSI`() {
    #expect(
      AccessMode.allCases.map(\.rawValue) == [
        "SINGLE_NODE_WRITER", "SINGLE_NODE_READER_ONLY", "MULTI_NODE_READER_ONLY",
        "MULTI_NODE_SINGLE_WRITER", "MULTI_NODE_MULTI_WRITER", "SINGLE_NODE_SINGLE_WRITER",
        "SINGLE_NODE_MULTI_WRITER",
      ])
  }

  @Test(arguments: AccessMode.allCases)
  func `reader modes are read-only, the others are not`(mode: AccessMode) {
    #expect(mode.isReadOnly == mode.rawValue.hasSuffix("READER_ONLY"))
  }

  @Test func `policies bear the names of Kubernetes`() {
    #expect(ReclaimPolicy.allCases.map(\.rawValue) == ["Delete", "Retain"])
    #expect(VolumeBindingMode.allCases.map(\.rawValue) == ["Immediate", "WaitForFirstConsumer"])
  }

  @Test(arguments: ["Persistent", "", "ramdisk"])
  func `words that are no volume type are refused`(word: String) {
    #expect(VolumeType(rawValue: word) == nil)
  }

  @Test func `errors say where, what was expected and what was found`() {
    let rot = Corruption(place: "object 17, block 3", expected: "tag 1", found: "tag 2")
    #expect(rot.description == "object 17, block 3: expected tag 1, found tag 2")
    let failure = IOFailure(operation: "sync journal segment 12", errorNumber: 5)
    #expect(failure.description == "cannot sync journal segment 12: errno 5")
  }
}
