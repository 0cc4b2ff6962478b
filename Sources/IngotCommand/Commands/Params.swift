internal import ArgumentParser
internal import Ingot

struct Params: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Count parameters, explain 12·l·d², and estimate FLOPs and memory.",
    discussion: """
      Takes a checkpoint, of which it reads headers only, or a bare configuration. A checkpoint of \
      no known architecture is counted tensor by tensor.
      """)

  @Argument(
    help: "A checkpoint, a model directory, or a config.json.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots + ["json"]))
  var path: String

  @OptionGroup var modelArguments: ModelArguments
  @OptionGroup var reading: ReadingArguments

  @Option(name: .long, help: "How many sequences FLOPs and memory are counted for.")
  var batch = 1

  @Option(
    name: .long,
    help: "Their length; the model's positions where not given, at most 2048 without a table.")
  var sequence: Int?

  @Option(
    name: .long,
    help: "The element type of weights, activations and cache; the file's, or float32.",
    completion: .list(ElementType.allCases.map(\.name)))
  var dtype: String?

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  func run() throws {
    var options = ParametersReport.Options()
    (options.batch, options.sequence) = (batch, sequence)
    options.elementType = try dtype.map { name in
      guard let type = ElementType(name: name) else {
        throw IngotError(
          .usage, "unknown element type '\(name.escapedForDisplay())'",
          hint: ElementType.allCases.map(\.name).joined(separator: ", "))
      }
      return type
    }
    let report = try ParametersReport(
      path: path, format: reading.from, reading: reading.options,
      model: try modelArguments.options, options: options)
    StandardStreams.print(json ? report.json.text(.indented) : ParametersText(report).text)
    for note in report.notes {
      StandardStreams.note("note: \(note.escapedForDisplay(limit: 500))")
    }
  }
}
