internal import Ingot

/// `ingot validate` for people.
struct ValidationText {
  private let validation: Validation

  init(_ validation: Validation) { self.validation = validation }

  var text: String {
    let source = validation.source
    let path = (source.checkpoint?.path ?? "").escapedForDisplay(limit: 1024)
    let convention = source.reading?.convention.name ?? ""
    var lines = ["\(path): \(source.model.architecture.name), names of \(convention)"]
    lines += configurationLines
    lines += list("missing", validation.missing.map { name in (name, nearest(name)) })
    lines += list("unexpected", validation.unexpected.map { ($0, "") })
    lines += list(
      "of another shape",
      validation.mismatched.map { ($0.name, "expected \($0.expected), found \($0.found)") })
    lines += list(
      "tied by the configuration, other bytes",
      validation.falseTies.map { ($0.name, "tied to \($0.target)") })
    lines += list("buffers, not counted", validation.buffers.map { ($0, "") })
    lines += ["", parametersLine]
    if let account = validation.account { lines.append(estimateLine(account)) }
    lines.append(validation.isValid ? "ok" : "NOT ok")
    return lines.joined(separator: "\n")
  }

  private var configurationLines: [String] {
    var table = TextTable([.left, .left, .left])
    // Most of what nothing gives has no meaning for the model at hand: factors of a scaling that it has not.
    var defaults: [String] = []
    for (name, entry) in validation.source.model.values {
      let value = entry.value.description.escapedForDisplay()
      if entry.source == Configuration.Entry.defaultSource {
        defaults.append("\(name) \(value)")
      } else {
        table.append([name, value, entry.source.escapedForDisplay()])
      }
    }
    return table.lines(indent: "  ") + Self.paragraph(defaults, titled: "by default")
  }

  /// A list over as many lines as it needs.
  private static func paragraph(_ items: [String], titled title: String) -> [String] {
    guard !items.isEmpty else { return [] }
    var lines = ["  \(title):"]
    for (index, item) in items.enumerated() {
      let word = " " + item + (index == items.count - 1 ? "" : ",")
      if lines[lines.count - 1].count + word.count > 100 { lines.append("   ") }
      lines[lines.count - 1] += word
    }
    return lines
  }

  private func nearest(_ name: ExactString) -> String {
    validation.suggestions.first { $0.missing == name }
      .map { "is it '\($0.nearest.escapedForDisplay())'?" } ?? ""
  }

  private func list(_ title: String, _ rows: [(name: ExactString, remark: String)]) -> [String] {
    guard !rows.isEmpty else { return [] }
    var table = TextTable([.left, .left])
    for row in rows.prefix(50) { table.append([row.name.escapedForDisplay(), row.remark]) }
    let more = rows.count > 50 ? ["  and \(rows.count - 50) more (--json lists all)"] : []
    return ["", "\(title) (\(ByteText.count(rows.count))):"] + table.lines(indent: "  ") + more
  }

  private var parametersLine: String {
    var line = "parameters: \(ByteText.count(validation.foundParameters))"
    if validation.foundParameters != validation.expectedParameters {
      line += ", the architecture has \(ByteText.count(validation.expectedParameters))"
    }
    if let asked = validation.askedParameters, asked != validation.foundParameters {
      line += ", expected \(ByteText.count(asked))"
    }
    return line
  }

  private func estimateLine(_ account: EstimateAccount) -> String {
    "12·l·d²: \(ByteText.count(account.value)), of \(ByteText.count(account.nonEmbedding)) outside the embeddings"
      + (account.unexplained == 0
        ? "; every difference explained (ingot params)"
        : "; \(ByteText.count(account.unexplained)) unexplained")
  }
}
