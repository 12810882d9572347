import Glibc
import Testing

@Suite struct FreshnessTests {
  @Test(
    .enabled(
      if: access("/usr/bin/protoc-c", X_OK) == 0,
      "protobuf-c-compiler is not installed (apt-get install protobuf-c-compiler)"))
  func `the committed messages are those that Proto makes`() {
    let script = "\(#filePath)".replacing("Tests/MessagesTests/FreshnessTests.swift", with: "")
    #expect(system("'\(script)Proto/generate.sh' --check") == 0)
  }
}
