import Tensors
import TestSupport
import Testing

@testable import Architectures
@testable import ReferenceModel

/// A sequence fed in pieces gives what it gives as a whole.
@Suite struct SessionTests {
  /// Fixtures whose self-attention is causal.
  static let causal = ModelFixture.all.filter { fixture in
    guard let model = try? fixture.opened().model, let plan = try? Plan(model) else { return false }
    return (try? plan.attentionAhead()) == .some(nil) && fixture.folder != "llama-dynamic-rope"
  }

  @Test func `angles that change with the length cannot be fed in pieces`() throws {
    let fixture = try #require(ModelFixture.all.first { $0.folder == "llama-dynamic-rope" })
    var session = try ForwardSession(try fixture.pass())
    let inputs = try fixture.golden().inputs.filter { $0.key == "input_ids" }
    let error = #expect(throws: IngotError.self) {
      try session.run(inputs) { _ in true }
    }
    #expect(error?.errorClass == .unsupported)
    #expect(
      error?.message
        == "dynamic rotary scaling turns every position anew beyond those of the training: the "
        + "sequence cannot be fed in pieces")
  }

  /// The columns of a [batch, sequence, …] tensor of 8-byte elements.
  private func columns(_ tensor: Tensor, _ range: Range<Int>) throws -> Tensor {
    try tensor.sliced(axis: 1, range: range)
  }

  @Test(arguments: causal, [true, false])
  func `steps agree with the whole`(fixture: ModelFixture, holdsWeights: Bool) throws {
    var inputs = try fixture.golden().inputs
    inputs["labels"] = nil
    let pass = try fixture.pass()
    var whole: [String: StateValue] = [:]
    try pass.run(inputs) { state in
      whole[state.name] = state.value
      return true
    }
    let hasDecoder = inputs.keys.contains { $0.hasPrefix("decoder_") }
    let stepped = inputs.keys.filter { $0.hasPrefix("decoder_") == hasDecoder && $0 != "causal" }
    let lengths = stepped.map { name in inputs[name]?.shape.dimensions.dropFirst().first ?? 0 }
    let length = try #require(lengths.max())
    var session = try ForwardSession(pass, holdsWeights: holdsWeights)
    var compared = 0
    for range in [0..<3, 3..<4, 4..<length] {
      var piece = range.lowerBound == 0 ? inputs : [:]
      for name in stepped {
        let isMask = name.hasSuffix("attention_mask")
        piece[name] = try inputs[name].map {
          try columns($0, isMask ? 0..<range.upperBound : range)
        }
      }
      try session.run(piece) { state in
        guard let expected = whole[state.name] else { return true }
        let shape = state.value.shape
        guard shape.count == 3, expected.shape.count == 3, shape[1] == range.count,
          expected.shape[1] == length,
          // Not the bias of relative positions, which is [heads, queries, keys].
          shape[2] == expected.shape[2]
        else { return true }
        let width = expected.shape[2]
        let part = (0..<expected.shape[0]).flatMap { row in
          expected.doubles[
            (row * length + range.lowerBound) * width..<(row * length + range.upperBound) * width]
        }
        #expect(state.value.doubles.maxRelative(to: part) < 1e-13, "\(state.name) \(range)")
        compared += 1
        return true
      }
    }
    #expect(session.length == length)
    #expect(compared > 10)
  }

  @Test func `layers that share their weights keep keys of their own`() throws {
    let layer: [Step] = [
      .operation(
        .attention(
          .init(
            query: "x", key: "x", value: "x", heads: 1, keyHeads: 1, isCausal: true, output: "h"))),
      .add("x", "h", into: "x"),
    ]
    let pass = try SmallModel(
      inputs: [.init(name: "x", kind: .features, size: 2)],
      steps: [
        .loop(
          .init(name: "layers", variable: "layer", count: 3, sharesWeights: true, steps: layer)),
        .result("x", name: "y"),
      ]
    ).pass()
    let elements: [Double] = [0.5, -1, 2, 0.25, -0.75, 1.5]
    var whole: [Double] = []
    try pass.run(["x": .doubles([1, 3, 2], elements)]) { state in
      whole = state.value.doubles
      return true
    }
    var session = try ForwardSession(pass, holdsWeights: true)
    for position in 0..<3 {
      let part = elements[2 * position..<2 * position + 2]
      try session.run(["x": .doubles([1, 1, 2], Array(part))]) { state in
        #expect(
          state.value.doubles.maxRelative(to: Array(whole[2 * position..<2 * position + 2])) < 1e-15
        )
        return true
      }
    }
  }

  @Test func `a model that sees ahead cannot be fed in pieces`() throws {
    for fixture in ModelFixture.all where fixture.folder == "bert" {
      let pass = try fixture.pass()
      #expect(throws: IngotError.self) { try ForwardSession(pass) }
    }
  }
}
