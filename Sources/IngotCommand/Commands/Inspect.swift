internal import ArgumentParser
internal import Ingot

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is in a checkpoint: tensors, types, shapes, sizes, metadata.",
    discussion: "Reads headers only, unless --stats asks for every value.")

  @Argument(
    help: "A checkpoint: a file, a shard index, or a model directory.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var path: String

  @OptionGroup var reading: ReadingArguments

  @Flag(name: .long, help: "One line per tensor instead of one per group of like layers.")
  var tensors = false

  @Flag(name: .long, help: "Minimum, maximum, mean, deviation, zeros, NaN and infinities.")
  var stats = false

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  func run() throws {
    SystemCalls.preferHugeHeap()
    let checkpoint = try reading.open(path)
    let inspection = try Inspection(
      checkpoint, includesStatistics: stats, jobs: reading.jobs)
    if json {
      StandardStreams.print(inspection.json)
    } else {
      StandardStreams.print(InspectionText(inspection, listsEveryTensor: tensors || stats).text)
    }
    for note in inspection.notes.prefix(20) {
      StandardStreams.note("note: \(note.escapedForDisplay(limit: 500))")
    }
    // Giving back the memory of 20,000 tensors one by one would take a tenth of the whole time.
    withExtendedLifetime((checkpoint, inspection)) { Failure.finish(0) }
  }
}
