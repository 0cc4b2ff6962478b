import Foundation
import Ingot

/// Runs the forward pass of a checkpoint, once for each line on stdin, and prints the seconds.
///
/// `ForwardBenchmark MODEL INPUTS PRECISION`: weights are read for each pass, as `ingot verify` does.
@main struct ForwardBenchmark {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let precision = Precision(rawValue: arguments[3]) else {
      fatalError("ForwardBenchmark MODEL INPUTS float64|float32")
    }
    let source = try ModelSource(path: arguments[1])
    guard let checkpoint = source.checkpoint, let reading = source.reading else {
      fatalError("\(arguments[1]) has no weights")
    }
    var inputs: [String: Tensor] = [:]
    for entry in try Checkpoint(path: arguments[2]).table.entries
    where entry.name.hasPrefix("input/") {
      inputs[String(entry.name.dropFirst("input/".count))] = entry.tensor
    }
    let weights = CanonicalWeights(checkpoint.table, reading)
    let pass = ForwardPass(source.model, precision: precision, jobs: 2) { role in
      try weights.tensor(role: role)
    }
    while readLine() != nil {
      let start = ContinuousClock.now
      guard try !pass.outputs(inputs).isEmpty else { fatalError("a model without outputs") }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      FileHandle.standardOutput.write(Data("\(seconds)\n".utf8))
    }
  }
}
