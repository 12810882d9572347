/// Rows under a head, each column as wide as its widest cell.
struct Table: Hashable, Sendable {
  var head: [String]
  var rows: [[String]]

  var text: String {
    let all = [head] + rows
    let widths = head.indices.map { column in
      all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return all.map { row in
      let cells = row.enumerated().map { index, cell in
        index == row.count - 1
          ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}

/// What a command has to say: lines for people, a tree for machines, warnings for stderr.
struct Report: Hashable, Sendable {
  var text: String
  var value: OutputValue
  var warnings: [String] = []
}
