internal import Tensors

/// What came of the checks of a manifest: the result of `ingot verify --manifest`.
public struct ChecksReport: Sendable {
  /// A check of one checkpoint, and what came of it.
  public struct Check: Sendable {
    /// What came of a check.
    public enum Outcome: Sendable {
      /// It holds; what was found, in a few words.
      case passed(String)
      /// It does not; what was found instead.
      case failed(String)
      /// It could not be made.
      case refused(IngotError)
    }

    /// The checkpoint, or the glob that matches none.
    public let path: String
    /// The check in words: `golden goldens/gpt2.npz`.
    public let name: String
    /// What came of it.
    public let outcome: Outcome
    /// The whole report of a golden or of a second checkpoint.
    public let verification: VerificationReport?

    /// Whether it holds.
    public var isOK: Bool { if case .passed = outcome { true } else { false } }

    /// What came of it, in a line.
    public var summary: String {
      switch outcome {
      case .passed(let text), .failed(let text): text
      case .refused(let error): "\(error)"
      }
    }
  }

  /// The manifest.
  public let path: String
  /// The checks in the order of the manifest, and of each glob's matches.
  public let checks: [Check]

  /// Whether every check holds.
  public var isOK: Bool { checks.allSatisfy(\.isOK) }

  /// The checks that were made and do not hold.
  public var failures: Int {
    checks.count { if case .failed = $0.outcome { true } else { false } }
  }

  /// The errors of the checks that could not be made.
  public var refusals: [IngotError] {
    checks.compactMap { if case .refused(let error) = $0.outcome { error } else { nil } }
  }

  /// The exit status: that of the first check that could not be made, else 1 where one does not hold.
  public var exitStatus: Int32 {
    refusals.first?.errorClass.exitStatus ?? (failures > 0 ? 1 : 0)
  }

  /// The report that `--json` prints (`schemas/checks-report.schema.json`).
  public var json: JSON {
    [
      "ok": .boolean(isOK), "manifest": .string(path),
      "totals": [
        "checks": JSON(checks.count), "failed": JSON(failures), "refused": JSON(refusals.count),
      ],
      "checks": .array(
        checks.map { check in
          [
            "path": .string(check.path), "check": .string(check.name),
            "outcome": .string(check.outcome.word), "message": .string(check.summary),
            "verification": check.verification?.json ?? .null,
          ]
        }),
    ]
  }
}

extension ChecksReport.Check.Outcome {
  /// The word in reports.
  fileprivate var word: String {
    switch self {
    case .passed: "passed"
    case .failed: "failed"
    case .refused: "refused"
    }
  }
}
