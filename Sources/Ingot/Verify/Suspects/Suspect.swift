internal import Tensors

/// A known mistake that explains where a checkpoint first leaves its golden.
public struct Suspect: Sendable {
  /// What went wrong, and with which weights: `layers.1.attention.output: the matrix is transposed`.
  public let cause: String
  /// What shows it: how far the state was off before and after the mistake was undone.
  public let evidence: String
  /// The rules with which `ingot convert --rules` undoes it; nil where no rules can.
  public let rules: String?
  /// The parameter and its value that undo it, where the configuration is what is wrong.
  public let setting: String?

  /// The object in reports.
  var json: JSON {
    [
      "cause": .string(cause), "evidence": .string(evidence), "rules": JSON(rules),
      "setting": JSON(setting),
    ]
  }
}
