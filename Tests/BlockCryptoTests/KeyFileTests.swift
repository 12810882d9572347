import Glibc
import StorageModel
import Testing

@testable import BlockCrypto

/// A directory that goes away with the test.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/galleon-blockcrypto-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw IOFailure(operation: "mkdtemp", errorNumber: errno)
    }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    for name in ["master.key", "link", "other"] { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  func write(_ bytes: [UInt8], mode: mode_t) -> String {
    let file = "\(path)/master.key"
    let descriptor = open(file, O_CREAT | O_WRONLY | O_TRUNC, mode)
    _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    fchmod(descriptor, mode)
    close(descriptor)
    return file
  }
}

@Suite struct KeyFileTests {
  @Test func `A key file is made once, for its owner only, and opened from then on`() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/master.key"
    let wrapped: [UInt8]
    let dataKey: SecretBytes
    do {
      let master = try KeyFile.openOrCreate(path: path)
      dataKey = try master.makeDataKey()
      wrapped = try master.wrap(dataKey, of: volume)
    }
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_mode & 0o7777 == 0o600)
    #expect(status.st_size == 32)
    let again = try KeyFile.openOrCreate(path: path)
    #expect(try again.unwrap(wrapped, of: volume).equals(dataKey))
  }

  @Test func `Making a key file never replaces one`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.write([UInt8](repeating: 5, count: 32), mode: 0o600)
    #expect(throws: KeyError.self) { try KeyFile.create(path: path) }
    let kept = try KeyFile.open(path: path)
    let expected = try MasterKey(secret([UInt8](repeating: 5, count: 32)))
    let key = try kept.makeDataKey()
    #expect(try expected.unwrap(try kept.wrap(key, of: volume), of: volume).equals(key))
  }

  @Test(arguments: [0, 1, 31, 33, 64])
  func `A key file of another length is refused with both lengths`(byteCount: Int) throws {
    let directory = try TemporaryDirectory()
    let path = directory.write([UInt8](repeating: 5, count: byteCount), mode: 0o600)
    let error = try #require(throws: KeyError.self) { try KeyFile.openOrCreate(path: path) }
    #expect(error.description.contains("expected 32 bytes, found \(byteCount)"))
  }

  @Test(arguments: [0o640, 0o604, 0o660, 0o666, 0o620] as [mode_t])
  func `A key file that others can touch is refused`(mode: mode_t) throws {
    let directory = try TemporaryDirectory()
    let path = directory.write([UInt8](repeating: 5, count: 32), mode: mode)
    let error = try #require(throws: KeyError.self) { try KeyFile.openOrCreate(path: path) }
    #expect(error.description.contains("chmod 600"))
  }

  @Test func `A key file of another owner is refused`() throws {
    guard geteuid() == 0 else { return }  // only root can give a file away
    let directory = try TemporaryDirectory()
    let path = directory.write([UInt8](repeating: 5, count: 32), mode: 0o600)
    #expect(chown(path, 1, 1) == 0)
    #expect(throws: KeyError.self) { try KeyFile.openOrCreate(path: path) }
  }

  @Test func `A symbolic link and a directory are refused`() throws {
    let directory = try TemporaryDirectory()
    let target = directory.write([UInt8](repeating: 5, count: 32), mode: 0o600)
    let link = "\(directory.path)/link"
    #expect(symlink(target, link) == 0)
    #expect(throws: KeyError.self) { try KeyFile.openOrCreate(path: link) }
    #expect(throws: KeyError.self) { try KeyFile.openOrCreate(path: directory.path) }
  }

  @Test func `A directory that is not there is an error of the system`() throws {
    let error = try #require(throws: KeyError.self) {
      try KeyFile.openOrCreate(path: "/tmp/galleon-blockcrypto-nowhere/master.key")
    }
    guard case .io(let failure) = error else { return #expect(Bool(false)) }
    #expect(failure.errorNumber == ENOENT)
  }

  @Test func `A wrapped key opens for its volume only, and not with a flipped byte`() throws {
    let master = try MasterKey(SecretBytes.random(byteCount: 32))
    let key = try master.makeDataKey()
    let wrapped = try master.wrap(key, of: volume)
    #expect(wrapped.count == MasterKey.wrappedByteCount)
    #expect(try master.unwrap(wrapped, of: volume).equals(key))
    #expect(throws: KeyError.self) { try master.unwrap(wrapped, of: otherVolume) }
    for index in wrapped.indices {
      var rotten = wrapped
      rotten[index] ^= 0x40
      #expect(throws: KeyError.self) { try master.unwrap(rotten, of: volume) }
      #expect(throws: KeyError.self) { try master.unwrap(Array(wrapped[..<index]), of: volume) }
    }
  }

  @Test func `Another master key is named as the cause`() throws {
    let wrapped = try MasterKey(SecretBytes.random(byteCount: 32)).wrap(
      SecretBytes.random(byteCount: 32), of: volume)
    let other = try MasterKey(SecretBytes.random(byteCount: 32))
    let error = try #require(throws: KeyError.self) { try other.unwrap(wrapped, of: volume) }
    #expect(error.description.contains("another master key"))
  }

  @Test func `Key material is never shown`() throws {
    let key = secret([UInt8](repeating: 0xAB, count: 32))
    var dumped = ""
    dump(key, to: &dumped)
    for text in ["\(key)", String(reflecting: key), dumped] {
      #expect(!text.contains("171") && !text.lowercased().contains("ab, ab"))
    }
  }
}
