internal import ArgumentParser
internal import Ingot

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a checkpoint through the reference forward pass and compare what it computes.",
    discussion: """
      With --golden, with what the framework that trained the model recorded: input/…, output/… and, \
      where there are any, hidden/… and trace/…. With --against, with what another checkpoint of the \
      same model computes from inputs that are drawn from a seed; formats and names may differ. Every \
      state is compared in the order of computing, positions that an attention mask hides are not. The \
      tolerance follows the precision of the golden, or of the coarser of two stored types, and the \
      model's depth, and is printed. Exit status 1 where anything lies outside it, where weights are \
      missing, or NaN.

      With --manifest, all checks of a YAML file over many checkpoints (schemas/checks.schema.json), \
      every one whatever comes of the others. The exit status is that of the first check that could \
      not be made, else 1 where one does not hold.

      Examples:
        ingot verify model.safetensors --golden golden.npz
        ingot verify model/ --golden golden.npz --report junit=verify.xml
        ingot verify converted.h5 --against model/
        ingot verify --manifest checks.yaml --report junit=verify.xml
      """)

  @Argument(
    help: "A checkpoint: a file, a shard index, or a model directory; none with --manifest.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var path: String?

  @Option(
    name: .long, help: "What the model computes, as the framework that trained it recorded it.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var golden: String?

  @Option(
    name: .long, help: "Another checkpoint of the same model, which plays the golden.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var against: String?

  @Option(
    name: .long, help: "A list of checks over many checkpoints.",
    completion: .file(extensions: ["yaml", "yml", "json"]))
  var manifest: String?

  @Option(name: .long, help: "Where the inputs of --against are drawn from (0).")
  var seed: UInt64?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The longest sequence of --against (32, or the model's positions where they are fewer).",
      valueName: "length"))
  var sequence: Int?

  @OptionGroup var reading: ReadingArguments
  @OptionGroup var model: ModelArguments

  @Option(name: .long, help: "The arithmetic: float64 (the default) or float32.")
  var precision: PrecisionArgument?

  @OptionGroup var tolerance: ToleranceArguments

  @Option(
    name: .long,
    help: ArgumentHelp(
      "After a divergence, read the weights at most so many times over in search of its cause (32, small models without limit; 0 searches nothing).",
      valueName: "passes"))
  var suspectPasses: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Also write the report into a file: junit=FILE or json=FILE. Repeatable.",
      valueName: "kind=file"))
  var report: [ReportArgument] = []

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  mutating func validate() throws {
    guard [golden, against, manifest].compactMap(\.self).count == 1 else {
      throw ValidationError("give one of --golden, --against and --manifest")
    }
    guard (path == nil) == (manifest != nil) else {
      throw ValidationError(
        manifest == nil
          ? "Missing expected argument '<path>'" : "--manifest names the checkpoints itself")
    }
    if against == nil, seed != nil || sequence != nil {
      throw ValidationError("--seed and --sequence are for --against")
    }
    if let sequence, sequence < 1 { throw ValidationError("--sequence takes a number from 1 on") }
    if let suspectPasses, suspectPasses < 0 {
      throw ValidationError("--suspect-passes takes a number from 0 on")
    }
    if manifest != nil, suspectPasses != nil {
      throw ValidationError("--suspect-passes is for one verification")
    }
    if manifest != nil, !model.isEmpty || model.strict || !tolerance.isEmpty || precision != nil {
      throw ValidationError("with --manifest, models, precision and tolerances are said in it")
    }
  }

  func run() throws {
    SystemCalls.preferHugeHeap()
    do {
      try verify()
    } catch let error as IngotError {
      // A CI server that waits for a report must not mistake a broken check for one that did not run.
      for argument in report where argument.kind == .junit {
        let text = JUnitReport(
          error, path: path ?? manifest ?? "", golden: golden ?? against
        ).text
        try? WholeFile.writeReport(Array(text.utf8), to: argument.path)
      }
      annotate([VerificationText.annotation("\(error)")])
      throw error
    }
  }

  private func verify() throws {
    switch (path, golden, against, manifest) {
    case (let path?, let golden?, nil, nil):
      let checkpoint = try reading.open(path)
      try finish(try compare(checkpoint, golden: golden), of: checkpoint)
    case (let path?, nil, let other?, nil):
      let checkpoint = try reading.open(path)
      try finish(try compare(checkpoint, against: other), of: checkpoint)
    case (nil, nil, nil, let manifest?): try verify(manifest: manifest)
    default: throw IngotError(.internal, "arguments that were refused before")
    }
  }

  private func finish(_ result: VerificationReport, of checkpoint: Checkpoint) throws {
    let text = VerificationText(result)
    try publish(result.json, text.text, JUnitReport(result), text.annotations)
    checkpoint.printNotes()
    StandardStreams.printNotes(result.notes)
    if !result.isOK { Failure.finish(1) }
  }

  private func compare(
    _ checkpoint: Checkpoint, golden: String
  ) throws -> VerificationReport {
    var verification = Verification(
      try ModelSource(checkpoint, model.options), try Golden(path: golden))
    verification.precision = precision?.value ?? .float64
    verification.relativeTolerance = tolerance.rtol
    verification.absoluteTolerance = tolerance.atol
    verification.suspectPasses = suspectPasses
    verification.jobs = reading.jobs
    return try verification.report()
  }

  private func compare(
    _ checkpoint: Checkpoint, against other: String
  ) throws -> VerificationReport {
    var verification = try PairVerification(
      checkpoint, against: try reading.open(other), model.options)
    verification.seed = seed ?? 0
    verification.sequence = sequence
    verification.precision = precision?.value ?? .float64
    verification.relativeTolerance = tolerance.rtol
    verification.absoluteTolerance = tolerance.atol
    verification.suspectPasses = suspectPasses
    verification.jobs = reading.jobs
    return try verification.report()
  }

  private func verify(manifest: String) throws {
    var verification = ManifestVerification(try ChecksManifest(contentsOf: manifest))
    verification.format = reading.from
    verification.options = reading.options
    verification.jobs = reading.jobs
    // Each line comes as its check is made: a manifest may take hours.
    let result = verification.report { check in
      if !json { StandardStreams.print(ChecksText.line(check)) }
    }
    try publish(
      result.json, ChecksText.summary(result), JUnitReport(result),
      ChecksText.annotations(result))
    if result.exitStatus != 0 { Failure.finish(result.exitStatus) }
  }

  /// Writes the report wherever it is wanted.
  private func publish(
    _ report: JSON, _ text: String, _ junit: JUnitReport, _ annotations: [String]
  ) throws {
    for argument in self.report {
      let bytes =
        switch argument.kind {
        case .junit: Array(junit.text.utf8)
        case .json: report.bytes(.indented) + [UInt8(ascii: "\n")]
        }
      try WholeFile.writeReport(bytes, to: argument.path)
    }
    if json { StandardStreams.print(report) } else { StandardStreams.print(text) }
    annotate(annotations)
  }

  /// On stderr, which GitHub reads too: stdout may carry JSON.
  private func annotate(_ lines: [String]) {
    guard unsafe getenv("GITHUB_ACTIONS").map({ unsafe String(cString: $0) }) == "true" else {
      return
    }
    for line in lines { StandardStreams.note(line) }
  }
}

/// `float64` or `float32`.
struct PrecisionArgument: ExpressibleByArgument {
  let value: Precision

  init(_ value: Precision) { self.value = value }

  init?(argument: String) {
    guard let value = Precision(rawValue: argument) else { return nil }
    self.value = value
  }

  var defaultValueDescription: String { value.rawValue }
}

/// `junit=verify.xml`.
struct ReportArgument: ExpressibleByArgument {
  enum Kind: String {
    case junit
    case json
  }

  let kind: Kind
  let path: String

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="),
      let kind = Kind(rawValue: String(argument[..<equals])),
      equals < argument.index(before: argument.endIndex)
    else { return nil }
    self.kind = kind
    path = String(argument[argument.index(after: equals)...])
  }
}
