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
    abstract: "Run a checkpoint through the reference forward pass and compare with a golden.",
    discussion: """
      A golden holds input/…, output/… and, where recorded, hidden/… and trace/…; every state is \
      compared in the order of computing, positions that an attention mask hides are not. The \
      tolerance follows the golden's precision and the model's depth, and is printed. Exit status 1 \
      where anything lies outside it, where weights are missing, or NaN.

      Examples:
        ingot verify model.safetensors --golden golden.npz
        ingot verify model/ --golden golden.npz --report junit=verify.xml
      """)

  @Argument(
    help: "A checkpoint: a file, a shard index, or a model directory.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var path: String

  @Option(
    name: .long, help: "What the model computes, as the framework that trained it recorded it.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var golden: String

  @OptionGroup var reading: ReadingArguments
  @OptionGroup var model: ModelArguments

  @Option(name: .long, help: "The arithmetic: float64 or float32.")
  var precision = PrecisionArgument(.float64)

  @OptionGroup var tolerance: ToleranceArguments

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Also write the report into a file: junit=FILE or json=FILE. Repeatable.",
      valueName: "kind=file"))
  var report: [ReportArgument] = []

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  func run() throws {
    do {
      try verify()
    } catch let error as IngotError {
      // A CI server that waits for a report must not mistake a broken check for one that did not run.
      for argument in report where argument.kind == .junit {
        let text = JUnitReport(error, path: path, golden: golden).text
        try? WholeFile.writeReport(Array(text.utf8), to: argument.path)
      }
      annotate([VerificationText.annotation("\(error)")])
      throw error
    }
  }

  private func verify() throws {
    let checkpoint = try reading.open(path)
    var verification = Verification(
      try ModelSource(checkpoint, model.options), try Golden(path: golden))
    verification.precision = precision.value
    verification.relativeTolerance = tolerance.rtol
    verification.absoluteTolerance = tolerance.atol
    verification.jobs = reading.jobs
    let result = try verification.report()
    for argument in report {
      let bytes =
        switch argument.kind {
        case .junit: Array(JUnitReport(result).text.utf8)
        case .json: result.json.bytes(.indented) + [UInt8(ascii: "\n")]
        }
      try WholeFile.writeReport(bytes, to: argument.path)
    }
    let text = VerificationText(result)
    if json {
      StandardStreams.print(result.json)
    } else {
      StandardStreams.print(text.text)
    }
    checkpoint.printNotes()
    annotate(text.annotations)
    if !result.isOK { Failure.finish(1) }
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
