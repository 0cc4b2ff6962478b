internal import ArgumentParser
internal import Ingot

/// Arguments that several commands share.
struct SelectionArguments: ParsableArguments {
  @Option(
    name: .long,
    help: "Only tensors whose names match (glob; * also matches dots and slashes). Repeatable.")
  var include: [String] = []

  @Option(name: .long, help: "Leave out tensors whose names match (glob). Repeatable.")
  var exclude: [String] = []

  var selection: Selection {
    Selection(
      include: include.map { ExactString($0) }, exclude: exclude.map { ExactString($0) })
  }
}

struct ReadingArguments: ParsableArguments {
  @Option(
    name: .long, help: "The input's format; recognised by content where not given.",
    completion: .list(Formats.all.map(\.identifier)))
  var from: String?

  @Option(
    name: .customLong("max-chunk"),
    help: "The largest HDF5 chunk to accept, before compression (64MiB).")
  var maximumChunk: ByteSize?

  @Option(
    name: .customLong("max-expansion"),
    help: ArgumentHelp(
      "How many times its size a zip member above 64 MiB may expand (200; deflate ends at 1032).",
      valueName: "ratio"))
  var maximumExpansion: Int?

  @Option(name: .long, help: "Threads to use; one per processor where not given.")
  var jobs: Int?

  var options: ReadOptions {
    var options = ReadOptions()
    if let maximumChunk { options.largestChunk = maximumChunk.bytes }
    if let maximumExpansion { options.largestExpansion = maximumExpansion }
    return options
  }

  mutating func validate() throws {
    if let jobs, !(1...1024).contains(jobs) {
      throw ValidationError("--jobs takes a number from 1 to 1024")
    }
    if let maximumExpansion, maximumExpansion < 1 {
      throw ValidationError("--max-expansion takes a number from 1 on")
    }
  }

  func open(_ path: String) throws -> Checkpoint {
    try Checkpoint(path: path, format: from, options: options)
  }
}

/// How far values may lie apart.
struct ToleranceArguments: ParsableArguments {
  @Option(
    name: .long,
    help: "Relative tolerance: |a − b| ≤ atol + rtol·|b|, b of the second file or the golden.")
  var rtol: Double?

  @Option(name: .long, help: "Absolute tolerance.")
  var atol: Double?

  /// Whether nothing is said.
  var isEmpty: Bool { rtol == nil && atol == nil }

  mutating func validate() throws {
    for value in [rtol, atol] {
      if let value, !(value >= 0) { throw ValidationError("a tolerance is not negative") }
    }
  }
}

/// A size as people write it: `5GB` (10⁹), `512MiB` (2²⁰), or plain bytes.
struct ByteSize: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    let text = argument.lowercased()
    let digits = text.prefix { $0.isNumber }
    let units: [String: Int] = [
      "": 1, "b": 1, "kb": 1000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
      "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
    ]
    guard let number = Int(digits), number > 0,
      let unit = units[String(text.dropFirst(digits.count))]
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit)
    guard !overflow else { return nil }
    bytes = product
  }
}

extension ModelSource {
  /// Prints what a user should know of the file and of its configuration.
  func printNotes() {
    checkpoint?.printNotes()
    StandardStreams.printNotes(notes)
  }
}

extension StandardStreams {
  /// Prints notes, one a line.
  static func printNotes(_ notes: [String]) {
    for note in notes.prefix(20) {
      Self.note("note: \(note.escapedForDisplay(limit: 500))")
    }
  }
}

extension Checkpoint {
  /// Prints what a user should know of the file.
  func printNotes(quiet: Bool = false) {
    guard !quiet else { return }
    for note in table.notes.prefix(20) {
      StandardStreams.note("note: \(note.escapedForDisplay(limit: 500))")
    }
    guard !table.others.isEmpty else { return }
    let names = table.others.prefix(5).map { "'\($0.name.escapedForDisplay())' (\($0.type))" }
    let more = table.others.count > 5 ? " and \(table.others.count - 5) more" : ""
    StandardStreams.note("note: no tensors: \(names.joined(separator: ", "))\(more)")
  }
}
