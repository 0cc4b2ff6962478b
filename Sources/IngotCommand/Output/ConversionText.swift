internal import Ingot

/// `ingot convert` for people.
struct ConversionText {
  private let report: ConversionReport

  init(_ report: ConversionReport) { self.report = report }

  var text: String {
    var lines: [String] = []
    let summary =
      "\(report.source.escapedForDisplay(limit: 1024)) (\(report.sourceFormat)) → "
      + "\(report.destination.escapedForDisplay(limit: 1024)) (\(report.destinationFormat)): "
      + "\(ByteText.count(report.items.count)) tensors, \(ByteText.size(report.tensorBytes))"
    if report.isDryRun {
      lines.append("would convert " + summary)
      var table = TextTable([.left, .left, .left, .right])
      for item in report.items {
        table.append([
          item.name.escapedForDisplay(), item.elementType.name, "\(item.shape)",
          ByteText.size(item.byteCount),
        ])
      }
      lines += table.lines(indent: "  ")
      if let names = report.names {
        lines.append("  names of \(names.architecture), \(names.from):")
        lines.append(MappingText(names.respelling).text)
      }
      for rule in report.rules {
        lines.append("  \(rule.kind.rawValue):")
        lines += rule.changes.map { change in
          let names = [change.from, change.to].map { side in
            side.map { $0.escapedForDisplay() }.joined(separator: ", ")
          }
          return "    \(names[0]) → \(names[1])"
        }
      }
    } else {
      lines.append(summary + (report.isChecked ? ", re-read and equal" : ", not checked"))
    }
    if let names = report.names, !report.isDryRun {
      lines.append(
        "  names of \(names.architecture): \(names.from) → \(names.respelling.convention.name)")
    }
    if report.destinationFiles.count > 1 {
      lines += report.destinationFiles.map { "  " + $0.escapedForDisplay(limit: 1024) }
    }
    if !report.isDryRun { lines += castLines }
    return lines.joined(separator: "\n")
  }

  /// One line for all casts, and one for each tensor that lost more than digits.
  private var castLines: [String] {
    guard !report.casts.isEmpty else { return [] }
    let error = report.casts.map(\.report.largestRelativeError).max() ?? 0
    var lines = [
      "  cast \(ByteText.count(report.casts.count)) tensors; largest relative error "
        + error.threeDigits
    ]
    var table = TextTable([.left, .left])
    for cast in report.casts {
      let counts = [
        (cast.report.overflowedToInfinity, "overflowed to infinity"),
        (cast.report.saturated, "saturated"), (cast.report.underflowedToZero, "became zero"),
        (cast.report.nanMade, "became NaN"), (cast.report.nanKept, "NaN"),
      ].filter { $0.0 > 0 }.map { "\(ByteText.count($0.0)) \($0.1)" }
      guard !counts.isEmpty else { continue }
      table.append([
        cast.name.escapedForDisplay(),
        "\(cast.from.name) → \(cast.to.name): " + counts.joined(separator: ", "),
      ])
    }
    let all = table.lines(indent: "    ")
    lines += all.prefix(50)
    if all.count > 50 { lines.append("    and \(all.count - 50) more (--json lists all)") }
    return lines
  }

  /// Names on stderr what was dropped.
  static func printNotes(_ report: ConversionReport) {
    for note in report.notes.prefix(20) {
      StandardStreams.note("note: \(note.escapedForDisplay(limit: 500))")
    }
    let dropped = report.names?.respelling.rows.filter { $0.to == nil } ?? []
    print("no weights, dropped", dropped.filter { $0.remark == .buffer }.flatMap(\.from))
    print(
      "second copies of tied weights, dropped",
      dropped.filter { $0.remark == .tiedDropped }.flatMap(\.from))
    print("metadata dropped", report.droppedMetadata)
    print(
      "no tensors, dropped", report.droppedOthers.map { "\($0.name) (\($0.type))" as ExactString })
  }

  private static func print(_ what: String, _ names: [ExactString]) {
    guard !names.isEmpty else { return }
    let shown = names.prefix(10).map { "'\($0.escapedForDisplay(limit: 100))'" }
    let more = names.count > 10 ? " and \(names.count - 10) more (--json lists all)" : ""
    StandardStreams.note("note: \(what): \(shown.joined(separator: ", "))\(more)")
  }
}
