/// A verification as JUnit XML, which every CI server shows: a test per state, or per check of a manifest.
public struct JUnitReport: Sendable {
  private struct Case {
    var className: String
    var name: String
    var verdict: Verdict
  }

  private enum Verdict {
    case passed
    case failed(message: String, details: String)
    case error(IngotError)
  }

  private let suite: String
  private let cases: [Case]

  /// The tests of a verification: the checkpoint itself, and each state.
  public init(_ report: VerificationReport) {
    suite = "\(report.path) against \(report.goldenPath)"
    let className = report.architecture
    let faults = report.faults.lines
    let checkpoint = Case(
      className: className, name: "checkpoint",
      verdict: faults.isEmpty
        ? .passed
        : .failed(message: faults[0], details: faults.prefix(50).joined(separator: "\n")))
    let first = report.firstDivergence?.name
    let suspects = report.suspects
    cases =
      [checkpoint]
      + report.states.map { state in
        Case(
          className: className, name: state.name.text,
          verdict: state.isOK
            ? .passed
            : .failed(
              message: state.name == first
                ? "first divergence: \(state.summary)"
                  + (suspects.first.map { "; suspect: \($0.cause)" } ?? "")
                : state.summary,
              details: ([state.summary, state.place, report.tolerance.formula].compactMap { $0 }
                + (state.name == first ? suspects.flatMap(\.lines) : [])).joined(separator: "\n")))
      }
  }

  /// A verification that could not be carried out.
  ///
  /// - Parameter golden: What it should have been compared with; nil for a manifest at `path`.
  public init(_ error: IngotError, path: String, golden: String?) {
    suite = golden.map { "\(path) against \($0)" } ?? path
    cases = [Case(className: "ingot verify", name: "verify", verdict: .error(error))]
  }

  /// The tests of a manifest: each check is one, of the class of its checkpoint.
  public init(_ report: ChecksReport) {
    suite = report.path
    cases = report.checks.map { check in
      let verdict: Verdict =
        switch check.outcome {
        case .passed: .passed
        case .failed(let message): .failed(message: message, details: check.details)
        case .refused(let error): .error(error)
        }
      return Case(className: check.path, name: check.name, verdict: verdict)
    }
  }

  /// The document.
  public var text: String {
    let failures = cases.filter { if case .failed = $0.verdict { true } else { false } }.count
    let errors = cases.filter { if case .error = $0.verdict { true } else { false } }.count
    let counts = "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(errors)\""
    var lines = [
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites name=\"ingot verify\" \(counts)>",
      "  <testsuite name=\"\(Self.escaped(suite))\" \(counts) skipped=\"0\">",
    ]
    for test in cases {
      let start =
        "    <testcase classname=\"\(Self.escaped(test.className))\" name=\"\(Self.escaped(test.name))\""
      switch test.verdict {
      case .passed: lines.append(start + "/>")
      case .failed(let message, let details):
        lines += [
          start + ">",
          "      <failure type=\"tolerance\" message=\"\(Self.escaped(message))\">\(Self.escaped(details))</failure>",
          "    </testcase>",
        ]
      case .error(let error):
        let message = Self.escaped("\(error)")
        lines += [
          start + ">",
          "      <error type=\"\(error.errorClass.rawValue)\" message=\"\(message)\"/>",
          "    </testcase>",
        ]
      }
    }
    lines += ["  </testsuite>", "</testsuites>", ""]
    return lines.joined(separator: "\n")
  }

  /// Text that may stand in an attribute: names come from files, and XML knows no control characters.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\n": escaped += "&#10;"
      case "\u{0}"..."\u{1F}", "\u{7F}", "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

extension ChecksReport.Check {
  /// What a reader of a failure wants to know beside its message.
  fileprivate var details: String {
    guard let verification else { return summary }
    let states = verification.states.filter { !$0.isOK }.map { "\($0.name): \($0.summary)" }
    let lines = [
      Array(verification.faults.lines.prefix(50)), Array(states.prefix(50)),
      verification.suspects.flatMap(\.lines), [verification.tolerance.formula],
    ]
    return lines.joined().joined(separator: "\n")
  }
}

extension Suspect {
  /// The mistake, what shows it, and what undoes it.
  fileprivate var lines: [String] {
    ["suspect: \(cause)", evidence]
      + [setting.map { "--set \($0)" }, rules].compactMap { $0 }
  }
}

extension StateComparison {
  /// The difference in a line.
  public var summary: String {
    guard notFinite == 0 else {
      return "\(notFinite) of \(compared) values are NaN or infinite on a side, "
        + "the first at \(worstIndex ?? [])"
    }
    return
      "\(outside) of \(compared) values lie too far apart, max |Δ| \(maxAbsolute), the worst at "
      + "\(worstIndex ?? [])"
  }

  /// Where in the model it lies, as far as that is known.
  public var place: String? {
    let parts = [layer, component?.rawValue].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}
