/// A verification as JUnit XML, which every CI server shows: a test per state.
public struct JUnitReport: Sendable {
  private struct Case {
    var name: String
    var verdict: Verdict
  }

  private enum Verdict {
    case passed
    case failed(message: String, details: String)
    case error(message: String, type: String)
  }

  private let suite: String
  private let className: String
  private let cases: [Case]

  /// The tests of a verification: the checkpoint itself, and each state.
  public init(_ report: VerificationReport) {
    suite = "\(report.path) against \(report.goldenPath)"
    className = report.architecture
    let faults = report.faults.lines
    let checkpoint = Case(
      name: "checkpoint",
      verdict: faults.isEmpty
        ? .passed
        : .failed(message: faults[0], details: faults.prefix(50).joined(separator: "\n")))
    let first = report.firstDivergence?.name
    let suspects = report.suspects
    let suspectLines = suspects.flatMap { suspect in
      ["suspect: \(suspect.cause)", suspect.evidence]
        + [suspect.setting.map { "--set \($0)" }, suspect.rules].compactMap { $0 }
    }
    cases =
      [checkpoint]
      + report.states.map { state in
        Case(
          name: state.name,
          verdict: state.isOK
            ? .passed
            : .failed(
              message: state.name == first
                ? "first divergence: \(state.summary)"
                  + (suspects.first.map { "; suspect: \($0.cause)" } ?? "")
                : state.summary,
              details: ([state.summary, state.place, report.tolerance.formula].compactMap { $0 }
                + (state.name == first ? suspectLines : [])).joined(separator: "\n")))
      }
  }

  /// A verification that could not be carried out.
  public init(_ error: IngotError, path: String, golden: String) {
    suite = "\(path) against \(golden)"
    className = "ingot verify"
    cases = [
      Case(
        name: "verify", verdict: .error(message: "\(error)", type: error.errorClass.rawValue))
    ]
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
        "    <testcase classname=\"\(Self.escaped(className))\" name=\"\(Self.escaped(test.name))\""
      switch test.verdict {
      case .passed: lines.append(start + "/>")
      case .failed(let message, let details):
        lines += [
          start + ">",
          "      <failure type=\"tolerance\" message=\"\(Self.escaped(message))\">\(Self.escaped(details))</failure>",
          "    </testcase>",
        ]
      case .error(let message, let type):
        lines += [
          start + ">",
          "      <error type=\"\(type)\" message=\"\(Self.escaped(message))\"/>", "    </testcase>",
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
