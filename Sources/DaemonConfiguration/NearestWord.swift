/// Finds the known word that a misspelt one was probably meant to be.
package enum NearestWord {
  /// nil if none is near: more than a third of the letters differ.
  package static func to(_ word: String, among known: some Sequence<String>) -> String? {
    let limit = max(2, word.count / 3)
    let ranked = known.map { (word: $0, distance: distance(normal(word), normal($0))) }
    guard let best = ranked.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }),
      best.distance <= limit
    else { return nil }
    return best.word
  }

  /// `did you mean "x"? ` with the nearest word, else the list of what is known.
  package static func advice(for word: String, among known: some Sequence<String>) -> String {
    if let nearest = to(word, among: known) { return "did you mean \"\(nearest)\"?" }
    return "known are: \(known.sorted().joined(separator: ", "))"
  }

  private static func normal(_ word: String) -> [Character] {
    word.lowercased().filter { $0 != "_" && $0 != "-" }
  }

  /// Levenshtein's edit distance.
  private static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
        diagonal = above
      }
    }
    return row[right.count]
  }
}
