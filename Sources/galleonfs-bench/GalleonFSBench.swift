import ArgumentParser

/// Measures parts of GalleonFS by themselves.
struct GalleonFSBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "galleonfs-bench",
    abstract: "Measures parts of GalleonFS by themselves.",
    subcommands: [NullMount.self, Floor.self, Files.self])
}
