/// The rules of the architecture; each gives the places that break it, as sentences.
struct Rules {
  let manifest: Manifest

  /// L1–L3 are pure: no C, no clock, no Foundation, no logging.
  static let pureLayers = 1...3
  /// What pure code may import beside our own lower layers.
  static let pureModules: Set<String> = ["Synchronization"]
  static let maximumProgramLineCount = 150
  static let maximumFileLineCount = 800

  func upwardArrows() -> [String] {
    manifest.targets.flatMap { target in
      target.dependencies.compactMap { name in
        guard let dependency = manifest[name] else { return "\(target.name) → \(name): no target" }
        guard let from = target.layer else { return nil }
        guard let to = dependency.layer, to < from else {
          return
            "\(target.name) (L\(from)) → \(name) (\(dependency.layer.map { "L\($0)" } ?? "test"))"
        }
        return nil
      }
    }
  }

  /// C targets with more or fewer than one importer; tests do not count.
  func sharedCLibraries() -> [String] {
    manifest.targets.filter { $0.kind == .cLibrary }.compactMap { library in
      let importers = manifest.targets.filter {
        $0.kind != .test && $0.dependencies.contains(library.name)
      }
      guard importers.count != 1 else { return nil }
      return "\(library.name): imported by \(importers.map(\.name))"
    }
  }

  /// Pure targets that depend on C or on a product of another package.
  func impureTargets() -> [String] {
    manifest.targets.filter(isPure).flatMap { target in
      target.products.map { "\(target.name) → \($0)" }
        + target.dependencies.filter { manifest[$0]?.kind == .cLibrary }
        .map { "\(target.name) → \($0)" }
    }
  }

  /// Imports of our own targets that the manifest does not declare, and, in pure targets, of
  /// anything that is not ours.
  func undeclaredImports(in files: [SourceFile]) -> [String] {
    files.flatMap { file -> [String] in
      guard let target = manifest[file.target] else { return ["\(file.path): in no target"] }
      return file.imports.filter { module in
        if module == target.name { return true }
        if manifest[module] != nil { return !target.dependencies.contains(module) }
        return isPure(target) && !Self.pureModules.contains(module)
      }.map { "\(file.path): import \($0)" }
    }
  }

  /// Executables that do more than compose.
  func longPrograms(in files: [SourceFile]) -> [String] {
    manifest.targets.filter { $0.kind == .program }.compactMap { program in
      let count = files.filter { $0.target == program.name }.map(\.lineCount).reduce(0, +)
      return count > Self.maximumProgramLineCount ? "\(program.name): \(count) lines" : nil
    }
  }

  func longFiles(in files: [SourceFile]) -> [String] {
    files.filter { !$0.isGenerated && $0.lineCount > Self.maximumFileLineCount }
      .map { "\($0.path): \($0.lineCount) lines" }
  }

  /// Places that would end the process on something that the world can do.
  func traps(in files: [SourceFile]) -> [String] {
    files.flatMap { file in
      ["fatalError(", "try!", "as!"].flatMap { trap in
        file.lines(containing: trap).map { "\(file.path):\($0): \(trap)" }
      }
    }
  }

  private func isPure(_ target: Manifest.Target) -> Bool {
    target.layer.map { Self.pureLayers.contains($0) } ?? false
  }
}
