internal import ArgumentParser
internal import Ingot

struct Digest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Fingerprint a checkpoint's content: the same weights, the same digest, in any format.",
    discussion: """
      Prints one line per tensor (SHA-256 of its little-endian row-major bytes, element type, shape, \
      name), then SHA-256 of those lines as the total. With --check, compares with a recorded \
      manifest; exit status 1 names what changed.
      """)

  @Argument(
    help: "A checkpoint: a file, a shard index, or a model directory.",
    completion: .file(extensions: Formats.fileExtensionsWithoutDots))
  var path: String

  @OptionGroup var reading: ReadingArguments
  @OptionGroup var selecting: SelectionArguments

  @Option(name: .long, help: "A manifest that an earlier run printed.", completion: .file())
  var check: String?

  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  @Flag(name: .long, help: "Print the total only.")
  var quiet = false

  func run() throws {
    let checkpoint = try reading.open(path)
    checkpoint.printNotes(quiet: quiet)
    var fingerprint = Fingerprinting(checkpoint)
    fingerprint.selection = selecting.selection
    fingerprint.jobs = reading.jobs
    let recorded = try check.map { try Fingerprinting.recordedManifest(path: $0) }
    let manifest = try fingerprint.manifest()
    let difference = recorded.map { fingerprint.difference(of: manifest, from: $0) }
    if json {
      StandardStreams.print(manifest.json(difference))
    } else if let difference {
      StandardStreams.print(DigestText.text(difference, of: manifest))
    } else if quiet {
      StandardStreams.print(manifest.total)
    } else {
      StandardStreams.print(manifest.textWithTotal)
    }
    if let difference, !difference.isEmpty { Failure.finish(1) }
  }
}
