internal import ArgumentParser
internal import Ingot

struct Validate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check that a checkpoint holds the tensors of its architecture, in their shapes.",
    discussion: """
      The architecture comes from the configuration in the file or beside it, or from names and shapes. \
      Only headers are read. Exit status 1 where anything is missing, unexpected, of another shape, \
      falsely tied, or where the count of parameters is another.
      """)

  @Argument(
    help: "A checkpoint: a file, a shard index, or a model directory.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var path: String

  @OptionGroup var reading: ReadingArguments
  @OptionGroup var model: ModelArguments

  @Option(
    name: .customLong("expect-parameters"),
    help: "The number of parameters it must have, tied ones once and buffers apart.")
  var expectParameters: Int?

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  func run() throws {
    let checkpoint = try reading.open(path)
    let validation = try Validation(
      ModelSource(checkpoint, model.options), expectedParameters: expectParameters)
    if json {
      StandardStreams.print(validation.json.text(.indented))
    } else {
      StandardStreams.print(ValidationText(validation).text)
    }
    validation.source.printNotes()
    if !validation.isValid { Failure.finish(1) }
  }
}
