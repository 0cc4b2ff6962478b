internal import Ingot

/// `ingot verify` for people.
struct VerificationText {
  private let report: VerificationReport

  init(_ report: VerificationReport) { self.report = report }

  var text: String {
    let path = report.path.escapedForDisplay(limit: 1024)
    var lines = [
      "\(path): \(report.architecture), computed in \(report.precision.rawValue)"
    ]
    lines += goldenLines
    lines += [
      "tolerance: \(report.tolerance.formula)\(relativeRange)", "",
    ]
    let faults = report.faults.lines
    lines += faults.prefix(50).map { "✗ \($0.escapedForDisplay(limit: 500))" }
    if faults.count > 50 { lines.append("  and \(faults.count - 50) more (--json lists all)") }
    lines += stateLines
    if let first = report.firstDivergence {
      let place = first.place.map { " (\($0))" } ?? ""
      lines += [
        "", "first divergence: \(first.name.escapedForDisplay())\(place): \(first.summary)",
      ]
    }
    lines += report.suspects.flatMap(suspectLines)
    if report.suspects.isEmpty, report.untriedMistakes > 0 {
      lines.append(
        "  not tried: \(report.untriedMistakes) more known mistakes; the trials before had read enough "
          + "(--suspect-passes)")
    }
    if !report.notCompared.isEmpty {
      let names = report.notCompared.prefix(5).map { $0.escapedForDisplay() }
      lines.append(
        "  not compared (the model makes no such state): \(names.joined(separator: ", "))"
          + (report.notCompared.count > 5 ? " and \(report.notCompared.count - 5) more" : ""))
    }
    if report.states.isEmpty { lines.append("not computed: the checkpoint does not fit") }
    lines += ["", report.isOK ? "ok" : "NOT ok"]
    return lines.joined(separator: "\n")
  }

  /// What the states are compared with.
  private var goldenLines: [String] {
    let golden = report.goldenPath.escapedForDisplay(limit: 1024)
    let precision = report.goldenPrecision.name
    let source = report.goldenPrecisionSource.escapedForDisplay(limit: 500)
    guard let inputs = report.seededInputs else {
      return ["golden: \(golden), \(precision) (\(source))"]
    }
    let shapes = inputs.shapes.map { "\($0.name) \($0.shape)" }.joined(separator: ", ")
    return [
      "against: \(golden), to the precision of \(precision) (\(source))",
      "inputs: seed \(inputs.seed), \(shapes)",
    ]
  }

  /// A suspect, what shows it, and what undoes it.
  private func suspectLines(_ suspect: Suspect) -> [String] {
    var lines = [
      "suspect: \(suspect.cause.escapedForDisplay(limit: 500))",
      "  evidence: \(suspect.evidence.escapedForDisplay(limit: 500))",
    ]
    if let setting = suspect.setting {
      lines.append("  repair: the configuration, or --set \(setting.escapedForDisplay())")
    }
    if let rules = suspect.rules {
      lines.append("  repair: ingot convert --rules with")
      lines += rules.split(separator: "\n").map { "    \($0)" }
    }
    return lines
  }

  /// The relative tolerances that the formula came to.
  private var relativeRange: String {
    let values = report.states.map(\.tolerance.relative)
    guard let least = values.min(), let most = values.max(), least < most else { return "" }
    return "; rtol from \(least.threeDigits) to \(most.threeDigits)"
  }

  /// What fails comes first, the worst at the top; the rest follows in the order of computing.
  private var stateLines: [String] {
    let failures = report.states.enumerated().filter { !$0.element.isOK }
      .sorted { ($1.element.worst, $0.offset) < ($0.element.worst, $1.offset) }
    var table = TextTable([.left, .left, .right, .right, .right])
    for state in failures.map(\.element) + report.states.filter(\.isOK) {
      table.append([
        state.isOK ? "✓" : "✗", state.name.escapedForDisplay(),
        "max |Δ| \(state.maxAbsolute.threeDigits)",
        "max rel \(state.maxRelative.threeDigits)",
        state.notFinite > 0
          ? "\(ByteText.count(state.notFinite)) not finite"
          : "\(state.worst.threeDigits) of the tolerance",
      ])
    }
    return table.lines()
  }

  /// The lines that GitHub shows beside a run.
  var annotations: [String] {
    guard !report.isOK else { return [] }
    let message =
      report.firstDivergence.map { state in
        "first divergence: \(state.name)\(state.place.map { " (\($0))" } ?? ""): \(state.summary)"
          + (report.suspects.first.map { "; suspect: \($0.cause)" } ?? "")
      } ?? report.faults.lines.first ?? "not ok"
    return [Self.annotation("\(report.path): \(message)")]
  }

  /// An error as GitHub's workflow commands spell it.
  static func annotation(_ message: String) -> String {
    let escaped = message.unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "%": text += "%25"
      case "\r": text += "%0D"
      case "\n": text += "%0A"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return "::error title=ingot verify::\(escaped)"
  }
}
