import StorageModel
import Testing

struct FileModelTests {
  @Test(arguments: zip(FileKind.allCases, [0x1, 0x2, 0x4, 0x6, 0x8, 0xA, 0xC] as [UInt32]))
  func `a file's kind is the upper four bits of st_mode`(kind: FileKind, bits: UInt32) {
    #expect(kind.rawValue == bits << 12)
  }

  @Test func `moments are ordered by seconds, then by nanoseconds`() {
    let moments = [(-1, 999_999_999), (0, 0), (0, 1), (1, 0)].map {
      Timestamp(seconds: Int64($0.0), nanoseconds: UInt32($0.1))
    }
    #expect(moments.reversed().sorted() == moments)
  }

  @Test func `file errors are Linux's numbers`() {
    #expect(FileError.noEntry.rawValue == 2)
    #expect(FileError.inputOutput.rawValue == 5)
    #expect(FileError.noSpace.rawValue == 28)
    #expect(FileError.notSupported.rawValue == 95)
    #expect(Set(FileError.allCases.map(\.rawValue)).count == FileError.allCases.count)
  }

  @Test func `changes start as none`() {
    let changes = AttributeChanges()
    #expect(changes == AttributeChanges())
    #expect(changes.sizeBytes == nil)
    #expect(!changes.dropsPrivileges)
  }
}
