import Foundation
import ReferenceModel
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// Each key of a configuration changed by itself: the library's result, or a refusal.
@Suite struct ConfigurationChangeTests {
  /// A row of `fixtures/models/configuration-changes.tsv`: what transformers computes after a change.
  struct Change: Sendable {
    let folder: String
    let member: String
    let output: String
    let sums: [Double]
  }

  static let changes: [Change] = {
    let path = Places.fixture("models/configuration-changes.tsv")
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: "\t").map(String.init)
      guard fields.count == 5 else { return nil }
      return Change(
        folder: fields[0], member: fields[1], output: fields[2],
        sums: fields[3...].compactMap(Double.init))
    }
  }()

  @Test func `there are changes of every model type`() {
    #expect(Self.changes.count > 1_000)
    #expect(Set(Self.changes.map(\.folder)).count == 24)
    #expect(Self.changes.filter { $0.member == "{}" }.allSatisfy { $0.sums.count == 2 })
  }

  @Test(arguments: Set(changes.map(\.folder)).sorted())
  func `a changed key gives the library's result or is refused`(_ folder: String) throws {
    let inputs = try Golden(path: Places.fixture("models/\(folder)/golden.npz")).inputs
      .filter { $0.key != "labels" }
    var (same, refused) = (0, 0)
    for change in Self.changes where change.folder == folder && !change.sums.isEmpty {
      guard let (sums, scale) = try computed(change, inputs) else {
        #expect(change.member != "{}")
        refused += 1
        continue
      }
      same += 1
      for (sum, expected) in zip(sums, change.sums) {
        #expect(abs(sum - expected) <= 1e-9 * scale, "\(folder) \(change.member)")
      }
    }
    // Refusing everything would pass above.
    #expect(same > refused, "\(same) computed, \(refused) refused")
  }

  /// The sums over the output that the library has, and how large they can be; nil where it is refused.
  private func computed(
    _ change: Change, _ inputs: [ExactString: Tensor]
  ) throws -> (sums: [Double], scale: Double)? {
    try Places.withTemporaryFolder { place in
      let source = URL(filePath: Places.fixture("models/\(change.folder)"))
      let config = try JSONScanner.parse(
        Array(Data(contentsOf: source.appending(path: "config.json"))))
      let member = try #require(JSONScanner.parse(Array(change.member.utf8)).object)
      let kept = (config.object ?? []).filter { one in !member.contains { $0.key == one.key } }
      try Data(JSON.object(kept + member).bytes(.indented)).write(
        to: place.appending(path: "config.json"))
      try FileManager.default.createSymbolicLink(
        at: place.appending(path: "model.safetensors"),
        withDestinationURL: source.appending(path: "model.safetensors"))
      do {
        let model = try ModelSource(path: place.filePath)
        try model.checkComputable()
        guard try Validation(model).isValid else { return nil }
        let checkpoint = try #require(model.checkpoint)
        let weights = CanonicalWeights(checkpoint.table, try #require(model.reading))
        let outputs = try ForwardPass(model.model) { try weights.tensor(role: $0) }.outputs(inputs)
        guard let values = outputs[change.output]?.doubles else { return nil }
        let places = values.indices.map(Double.init)
        let sums = [
          zip(values, places).reduce(0) { $0 + $1.0 * cos($1.1) },
          zip(values, places).reduce(0) { $0 + $1.0 * sin($1.1) },
        ]
        return (sums, values.reduce(1) { $0 + abs($1) })
      } catch is IngotError {
        return nil
      }
    }
  }
}
