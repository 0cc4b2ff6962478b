internal import Ingot

/// `ingot verify --manifest` for people.
enum ChecksText {
  /// A check in a line.
  static func line(_ check: ChecksReport.Check) -> String {
    let mark =
      switch check.outcome {
      case .passed: "✓"
      case .failed: "✗"
      case .refused: "!"
      }
    let path = check.path.escapedForDisplay(limit: 1024)
    let name = check.name.escapedForDisplay(limit: 1024)
    return "\(mark) \(path)  \(name): \(check.summary.escapedForDisplay(limit: 1000))"
  }

  /// The last line.
  static func summary(_ report: ChecksReport) -> String {
    guard !report.isOK else { return "ok: \(report.checks.count) checks" }
    let parts = [
      (report.failures, "do not hold (✗)"), (report.refusals.count, "could not be made (!)"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return "NOT ok: of \(report.checks.count) checks \(parts.joined(separator: ", "))"
  }

  /// The lines that GitHub shows beside a run.
  static func annotations(_ report: ChecksReport) -> [String] {
    report.checks.filter { !$0.isOK }.map { check in
      VerificationText.annotation("\(check.path): \(check.name): \(check.summary)")
    }
  }
}
