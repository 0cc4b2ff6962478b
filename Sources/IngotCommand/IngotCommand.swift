internal import ArgumentParser
internal import Ingot

/// The command `ingot`: arguments become options, one library call does the work, a report is printed.
@main
struct IngotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingot",
    abstract: "Convert, inspect, compare and fingerprint model checkpoints.",
    discussion: """
      Formats: safetensors, npy, npz, hdf5 (plain and Keras layouts), keras, ingot. The format of an \
      input is recognised by its content, that of an output by its extension.

      Exit status: 0 success; 1 a check did not hold; 64 usage; 65 malformed or refused input; \
      66 input missing; 69 not supported; 70 internal error; 73 output cannot be created; \
      74 read or write failed; 129, 130, 143 interrupted (no partial output remains).
      """,
    version: "0.1.0",
    subcommands: [
      Convert.self, Inspect.self, Params.self, Validate.self, Verify.self, GoldenCommand.self,
      Generate.self, Diff.self, Digest.self, FormatsCommand.self, ArchitecturesCommand.self,
    ])

  static func main() {
    Interruption.prepare()
    do {
      var command = try parseAsRoot()
      try command.run()
      Failure.finish(0)
    } catch let error as IngotError {
      Failure.exit(error)
    } catch let failure as UnmappedNames {
      Failure.exit(failure.error, details: [.init("mapping", failure.respelling.json)])
    } catch {
      let status = exitCode(for: error)
      // Help and version come as errors with status 0.
      guard status == .validationFailure else { exit(withError: error) }
      Failure.exit(
        IngotError(.usage, Failure.plainMessage(message(for: error)), hint: "ingot --help"))
    }
  }
}
