internal import Tensors

/// How a checkpoint compares with a golden: the result of `ingot verify`.
public struct VerificationReport: Sendable {
  /// The checkpoint.
  public let path: String
  /// The golden.
  public let goldenPath: String
  /// The architecture.
  public let architecture: String
  /// The arithmetic.
  public let precision: Precision
  /// The precision of the golden.
  public let goldenPrecision: ElementType
  /// How that is known.
  public let goldenPrecisionSource: String
  /// How far values may lie apart.
  public let tolerance: VerificationTolerance
  /// What is wrong with the checkpoint itself.
  public let faults: CheckpointFaults
  /// Finer states of the golden that the model does not make, or makes several times.
  public let notCompared: [ExactString]
  /// Every state of the golden in the order of computing; none where the model could not be run.
  public internal(set) var states: [StateComparison] = []
  /// The inputs where they were drawn and not recorded: then a second checkpoint stands for the golden.
  public internal(set) var seededInputs: SeededInputs?
  /// The mistakes that explain the first divergence, the likeliest first.
  public internal(set) var suspects: [Suspect] = []
  /// How many of the known mistakes were not tried, because the trials before had read the weights often
  /// enough.
  public internal(set) var untriedMistakes = 0
  /// What a user should know of the configuration, one sentence each.
  public internal(set) var notes: [String] = []

  /// Whether the checkpoint is sound and every state agrees.
  public var isOK: Bool { faults.isEmpty && !states.isEmpty && states.allSatisfy(\.isOK) }

  /// The outputs.
  public var outputs: [StateComparison] { states.filter { $0.kind == .output } }

  /// The first state in the order of computing that does not agree.
  public var firstDivergence: StateComparison? { states.first { !$0.isOK } }

  /// The report that `--json` prints (`schemas/verify.schema.json`).
  public var json: JSON {
    [
      "ok": .boolean(isOK), "architecture": .string(architecture),
      "precision": .string(precision.rawValue),
      "processor_level": .string(Kernels.Level.current.name),
      "golden": [
        "precision": .string(goldenPrecision.name), "source": .string(goldenPrecisionSource),
      ],
      "seeded": seededInputs?.json ?? .null,
      "checkpoint": faults.json,
      "outputs": .array(outputs.map { $0.json(isOutput: true) }),
      "first_divergence": firstDivergence.map { state in
        [
          "state": .string(state.name), "layer": JSON(state.layer),
          "component": JSON(state.component?.rawValue), "max_abs": .number(state.maxAbsolute),
        ]
      } ?? .null,
      "suspects": .array(suspects.map(\.json)), "untried_mistakes": JSON(untriedMistakes),
      "tolerance": tolerance.json,
      "states": .array(states.map { $0.json(isOutput: false) }),
      "not_compared": .array(notCompared.map(JSON.string)),
      "notes": .array(notes.map(JSON.string)),
    ]
  }
}
