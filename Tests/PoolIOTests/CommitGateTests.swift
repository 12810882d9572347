import StorageModel
import Synchronization
import Testing

@testable import PoolIO

@Suite struct CommitGateTests {
  private final class Counts: Sendable {
    let started = Atomic(0)
    let finished = Atomic(0)
  }

  @Test func `A checkpoint never sees a commit half done`() async throws {
    let gate = CommitGate()
    let counts = Counts()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<2000 {
            try gate.withCommit { () throws(StoreError) in
              counts.started.add(1, ordering: .sequentiallyConsistent)
              counts.finished.add(1, ordering: .sequentiallyConsistent)
            }
          }
        }
      }
      group.addTask {
        for _ in 0..<200 {
          try gate.withCommitsHeld { () throws(StoreError) in
            let before = counts.started.load(ordering: .sequentiallyConsistent)
            #expect(before == counts.finished.load(ordering: .sequentiallyConsistent))
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(counts.started.load(ordering: .sequentiallyConsistent) == 8000)
  }

  @Test func `An error leaves the gate open`() throws {
    let gate = CommitGate()
    #expect(throws: StoreError.poolFull) {
      try gate.withCommit { () throws(StoreError) in throw StoreError.poolFull }
    }
    #expect(throws: StoreError.poolFull) {
      try gate.withCommitsHeld { () throws(StoreError) in throw StoreError.poolFull }
    }
    #expect(try gate.withCommitsHeld { () throws(StoreError) in 7 } == 7)
  }
}
