import StorageModel
import Testing

struct VolumeNameTests {
  @Test(arguments: [
    "a", "0", "web-data", "pvc-0b9e", "a.b_c-d", "A", String(repeating: "n", count: 128),
  ])
  func `letters, digits, dots, underscores and hyphens make a name`(name: String) {
    #expect(VolumeName.fault(in: name) == nil)
  }

  @Test(arguments: [
    "", ".", "..", "-a", "_a", ".hidden", "a/b", "../../etc/passwd", "a b", "a\n", "a\0", "ä",
    "a:b", String(repeating: "n", count: 129), String(repeating: "n", count: 300),
  ])
  func `anything else has a fault that is told`(name: String) {
    #expect(VolumeName.fault(in: name)?.isEmpty == false)
  }
}
