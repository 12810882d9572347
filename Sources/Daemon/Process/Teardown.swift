internal import Logging

/// What was started, to be ended in the reverse order: the one place where shutdown is written.
struct Teardown {
  private struct Step {
    var name: String
    var end: @Sendable (_ grace: Duration) async -> Void
  }

  private var steps: [Step] = []
  private let logger = Logger(label: "galleonfs.daemon")

  /// `end` is told how long it may wait for work that runs.
  mutating func add(_ name: String, _ end: @escaping @Sendable (_ grace: Duration) async -> Void) {
    steps.append(Step(name: name, end: end))
  }

  mutating func run(grace: Duration) async {
    while let step = steps.popLast() {
      let start = ContinuousClock.now
      logger.debug("ending", metadata: ["part": "\(step.name)"])
      await step.end(grace)
      let duration = ContinuousClock.now - start
      if duration > .seconds(1) {
        logger.info("ended", metadata: ["part": "\(step.name)", "took": "\(duration)"])
      }
    }
  }
}
