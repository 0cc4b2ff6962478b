internal import ArgumentParser
internal import Ingot

struct GoldenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "golden",
    abstract: "Record what a checkpoint computes, with every state on the way.",
    discussion: """
      The reference forward pass computes the outputs, the hidden states and the finer ones of every \
      layer. The golden serves to check files that are made from this one: \
      ingot verify converted.npz --golden FILE.
      """)

  @Argument(
    help: "A checkpoint: a file, a shard index, or a model directory.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var path: String

  @Option(
    name: .long, help: "The inputs: tensors input/NAME, or a golden whose inputs are taken.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var inputs: String

  @Option(
    name: .long, help: "The golden to create; its extension names the format.",
    completion: .file())
  var output: String

  @OptionGroup var reading: ReadingArguments
  @OptionGroup var model: ModelArguments

  @Option(name: .long, help: "The arithmetic: float64 or float32.")
  var precision = PrecisionArgument(.float64)

  @Flag(name: .long, help: "Replace the golden if it exists.")
  var force = false

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  func run() throws {
    SystemCalls.preferHugeHeap()
    let checkpoint = try reading.open(path)
    var recording = GoldenRecording(
      try ModelSource(checkpoint, model.options), inputs: try Checkpoint(path: inputs))
    recording.precision = precision.value
    recording.jobs = reading.jobs
    let record = try recording.write(to: output, replacing: force)
    if json {
      StandardStreams.print(record.json)
    } else {
      let outputs = record.states.filter { $0.hasPrefix("output/") }
      StandardStreams.print(
        "\(output.escapedForDisplay(limit: 1024)): \(outputs.joined(separator: ", ")) and "
          + "\(record.states.count - outputs.count) states, \(precision.value.rawValue)")
    }
    checkpoint.printNotes()
    StandardStreams.printNotes(record.notes)
    if !record.ambiguous.isEmpty {
      StandardStreams.note(
        "note: made several times and left out: \(record.ambiguous.prefix(5).joined(separator: ", "))"
          + (record.ambiguous.count > 5 ? ", …" : ""))
    }
  }
}
