internal import Ingot

/// What became of every name, for people: source, destination, remark.
struct MappingText {
  private let respelling: Respelling

  init(_ respelling: Respelling) { self.respelling = respelling }

  var text: String {
    var table = TextTable([.left, .left, .left, .left])
    for row in respelling.rows {
      table.append([
        row.from.map { $0.escapedForDisplay() }.joined(separator: " + "), "→",
        row.to.map { $0.escapedForDisplay() } ?? "–", row.remark?.rawValue ?? "",
      ])
    }
    return table.lines(indent: "  ").joined(separator: "\n")
  }
}
