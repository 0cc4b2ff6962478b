internal import ArgumentParser
internal import Ingot

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two checkpoints of any formats, tensor by tensor.",
    discussion: """
      Without a tolerance, equal means the same element type, shape and bytes. With one, values are \
      compared in float64, across element types, and NaN equals NaN at the same place. Exit status 1 \
      where anything differs.
      """)

  @Argument(
    help: "The first checkpoint.", completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var a: String

  @Argument(
    help: "The second checkpoint.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var b: String

  @OptionGroup var reading: ReadingArguments
  @OptionGroup var selecting: SelectionArguments

  @OptionGroup var tolerance: ToleranceArguments

  @Option(
    name: .long, help: "A rules file that is applied to the first checkpoint.",
    completion: .file(extensions: ["yaml", "yml", "json"]))
  var rules: String?

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  func run() throws {
    let first = try reading.open(a)
    let second = try Checkpoint(path: b, options: reading.options)
    for checkpoint in [first, second] { checkpoint.printNotes() }
    var comparison = Comparing(first, second)
    comparison.selection = selecting.selection
    comparison.rules = try rules.map { try RulesFile(contentsOf: $0) }
    if tolerance.rtol != nil || tolerance.atol != nil {
      comparison.tolerance = .init(relative: tolerance.rtol ?? 0, absolute: tolerance.atol ?? 0)
    }
    comparison.jobs = reading.jobs
    let difference = try comparison.difference()
    if json {
      StandardStreams.print(difference.json)
    } else {
      StandardStreams.print(DifferenceText(difference, tolerance: comparison.tolerance).text)
    }
    if !difference.isEmpty { Failure.finish(1) }
  }
}
