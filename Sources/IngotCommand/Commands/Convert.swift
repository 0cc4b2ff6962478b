internal import ArgumentParser
internal import Ingot

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert a checkpoint into another format, bit for bit unless asked to cast.",
    discussion: """
      The destination appears complete and compared with its source, or not at all. What it cannot \
      hold is refused before anything is written; metadata that it drops is named.

      Examples:
        ingot convert model.h5 model.safetensors
        ingot convert model.safetensors half.safetensors --dtype bfloat16
        ingot convert big.npz out/model.safetensors --max-shard-size 5GB
        ingot convert gpt2.weights.h5 gpt2.safetensors --names huggingface
      """)

  @Argument(
    help: "A checkpoint: a file, a shard index, or a model directory.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var source: String

  @Argument(help: "The file to create; its extension names the format.", completion: .file())
  var destination: String

  @OptionGroup var reading: ReadingArguments
  @OptionGroup var selecting: SelectionArguments

  @Option(
    name: .long, help: "The destination's format; its extension's where not given.",
    completion: .list(Formats.all.map(\.identifier)))
  var to: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Cast floating tensors to this element type; GLOB=TYPE casts what matches, of any type.",
      discussion: "Repeatable; the last match wins.", valueName: "type|glob=type"),
    completion: .list(ElementType.allCases.map(\.name)))
  var dtype: [CastArgument] = []

  @Option(
    name: .long, help: "A rules file: renames, transposes, splits and joins (YAML or JSON).",
    completion: .file(extensions: ["yaml", "yml", "json"]))
  var rules: String?

  @Option(
    name: .long,
    help: "Rename and lay out the weights for a convention: huggingface, keras_hub, gguf, …")
  var names: String?

  @OptionGroup var model: ModelArguments

  @Option(
    name: .customLong("allow-unmapped"),
    help: "With --names: tensors whose names match may stay as they are (glob). Repeatable.")
  var allowUnmapped: [String] = []

  @Option(
    name: .customLong("max-shard-size"),
    help: "Split into shards of at most this size (5GB, 500MB) with an index.")
  var maximumShardSize: ByteSize?

  @Option(name: .long, help: "none, gzip, or gzip:1 to gzip:9.")
  var compression = CompressionArgument(.none)

  @Option(name: .long, help: "The arrangement inside an HDF5 file: plain or keras.")
  var layout = LayoutArgument.plain

  @Option(name: .long, help: "Alignment of tensor data in bytes, for formats that have a choice.")
  var alignment: Int?

  @Flag(name: .long, help: "Replace the destination if it exists.")
  var force = false

  @Flag(name: .customLong("dry-run"), help: "Print the plan and write nothing.")
  var dryRun = false

  @Flag(name: .customLong("no-check"), help: "Do not re-open and compare what was written.")
  var noCheck = false

  @Flag(name: .customLong("no-sync"), help: "Do not wait until the disk has everything.")
  var noSync = false

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  @Flag(name: .long, help: "Print nothing on success.")
  var quiet = false

  func validate() throws {
    if let alignment, alignment < 1 || alignment > 1 << 21 || alignment & (alignment - 1) != 0 {
      throw ValidationError("--alignment takes a power of two up to 2097152")
    }
    guard names != nil || allowUnmapped.isEmpty && model.isEmpty else {
      throw ValidationError(
        "--architecture, --config, --set and --allow-unmapped serve --names, which is not given")
    }
  }

  func run() throws {
    var options = ConvertOptions()
    options.sourceFormat = reading.from
    options.destinationFormat = to
    options.casts = dtype.map(\.cast)
    options.rules = try rules.map { try RulesFile(contentsOf: $0) }
    options.names = names
    options.allowedUnmapped = allowUnmapped.map { ExactString($0) }
    options.model = try model.options
    options.selection = selecting.selection
    options.maximumShardBytes = maximumShardSize?.bytes
    options.reading = reading.options
    options.writing.compression = compression.value
    options.writing.arrangement = layout.arrangement
    options.writing.alignment = alignment
    options.isStrict = model.strict
    options.replacesDestination = force
    options.isDryRun = dryRun
    options.checksResult = !noCheck
    options.syncsResult = !noSync
    options.jobs = reading.jobs
    let conversion: Conversion
    do {
      conversion = try Conversion(source: source, destination: destination, options: options)
    } catch let failure as UnmappedNames {
      // The whole mapping is the result; what failed follows on stderr.
      if !json { StandardStreams.print(MappingText(failure.respelling).text) }
      throw failure
    }
    let meter = ProgressMeter()
    let display = quiet || dryRun ? nil : ProgressDisplay(meter)
    let report: ConversionReport
    do {
      report = try (consume conversion).run(progress: meter)
      display?.finish()
    } catch {
      display?.finish()
      throw error
    }
    if json {
      StandardStreams.print(report.json)
    } else if !quiet {
      StandardStreams.print(ConversionText(report).text)
    }
    if !quiet { ConversionText.printNotes(report) }
  }
}

/// `bfloat16`, or `*.weight=float16`.
struct CastArgument: ExpressibleByArgument {
  let cast: ConvertOptions.Cast

  init?(argument: String) {
    let equals = argument.lastIndex(of: "=")
    let typeName = equals.map { String(argument[argument.index(after: $0)...]) } ?? argument
    guard let type = ElementType(name: typeName) else { return nil }
    cast = ConvertOptions.Cast(type, pattern: equals.map { ExactString(argument[..<$0]) })
  }
}

/// `none`, `gzip`, `gzip:6`.
struct CompressionArgument: ExpressibleByArgument {
  let value: WriteOptions.Compression

  init(_ value: WriteOptions.Compression) { self.value = value }

  init?(argument: String) {
    if argument == "none" {
      value = .none
    } else if argument == "gzip" {
      value = .gzip(level: nil)
    } else if argument.hasPrefix("gzip:"), let level = Int(argument.dropFirst(5)),
      (1...9).contains(level)
    {
      value = .gzip(level: level)
    } else {
      return nil
    }
  }

  var defaultValueDescription: String { "none" }
}

/// The arrangement inside an HDF5 file.
enum LayoutArgument: String, ExpressibleByArgument, CaseIterable {
  case plain
  case keras

  var arrangement: WriteOptions.Arrangement {
    switch self {
    case .plain: .plain
    case .keras: .keras
    }
  }
}
