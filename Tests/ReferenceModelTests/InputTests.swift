import Tensors
import TestSupport
import Testing

@testable import Architectures
@testable import ReferenceModel

/// Inputs that do not fit the model are refused by name.
@Suite struct InputTests {
  /// Ids below 5 and an optional mask.
  private let model = SmallModel(
    inputs: [
      .init(name: "input_ids", kind: .ids, size: 5),
      .init(name: "attention_mask", kind: .mask, size: 2, isOptional: true),
      .init(name: "pixel_values", kind: .pixels, size: 3, isOptional: true),
    ],
    steps: [
      .operation(
        .embedding(
          .init(name: "tokens", input: "input_ids", rows: 5, width: 2, output: "x"))),
      .operation(
        .positions(.init(name: "positions", input: "x", rows: 3, width: 2, output: "p"))),
      .operation(.combine(.init(kind: .add, left: "x", right: "p", output: "x"))),
      .result("x", name: "y"),
    ])

  private func message(_ inputs: [ExactString: Tensor]) throws -> String {
    var model = model
    model.weights["tokens.weight"] = try .doubles([5, 2], (0..<10).map(Double.init))
    model.weights["positions.weight"] = try .doubles([3, 2], (0..<6).map(Double.init))
    do {
      _ = try model.outputs(inputs)
      return "fits"
    } catch let error as IngotError {
      #expect(error.errorClass == .malformed)
      return "\(error)"
    }
  }

  @Test func `names what is wrong with an input`() throws {
    let ids = try Tensor.integers([1, 3], [0, 4, 1])
    #expect(try message(["input_ids": ids]) == "fits")
    #expect(try message([:]) == "the input 'input_ids' is missing")
    #expect(try message(["input_ids": ids, "tokens": ids]) == "'tokens' is no input of small")
    #expect(
      try message(["input_ids": .integers([1, 3], [0, 5, 1])])
        == "the input 'input_ids': 5 at [0, 1] is not from 0 to 4")
    #expect(
      try message(["input_ids": .integers([2, 2], [0, 1, -1, 1])])
        == "the input 'input_ids': -1 at [1, 0] is not from 0 to 4")
    #expect(
      try message(["input_ids": .integers([3], [0, 1, 1])])
        == "the input 'input_ids': expected rank 2, found shape 3")
    #expect(
      try message(["input_ids": .doubles([1, 1], [0])])
        == "the input 'input_ids': expected integers, found float64")
    #expect(
      try message(["input_ids": ids, "attention_mask": .integers([1, 2], [1, 1])])
        == "the inputs 'input_ids' (1×3) and 'attention_mask' (1×2) do not agree")
    #expect(
      try message(["input_ids": ids, "attention_mask": .integers([1, 3], [1, 2, 0])])
        == "the input 'attention_mask': 2 at [0, 1] is not from 0 to 1")
    #expect(
      try message(["input_ids": ids, "pixel_values": .doubles([1, 2, 1, 1], [0, 0])])
        == "the input 'pixel_values': 2 channels where '3' is 3")
    #expect(
      try message(["input_ids": .integers([1, 0], [])]) == "the input 'input_ids' is empty: 1×0")
    #expect(
      try message(["input_ids": .integers([1, 4], [0, 1, 2, 3])]).contains(
        "4 positions are above the 3"))
  }

  @Test func `a weight of another shape or type is refused by its role`() throws {
    var model = model
    model.weights["tokens.weight"] = try .doubles([2, 5], (0..<10).map(Double.init))
    let ids = try Tensor.integers([1, 3], [0, 4, 1])
    #expect {
      try model.outputs(["input_ids": ids])
    } throws: { "\($0)" == "tensor 'tokens.weight': expected shape 5×2, found 2×5" }
    model.weights["tokens.weight"] = try .integers([5, 2], Array(0..<10))
    #expect {
      try model.outputs(["input_ids": ids])
    } throws: { "\($0)".contains("int64 weights cannot be computed with") }
  }

  @Test func `an observer ends the pass`() throws {
    var model = model
    model.weights["tokens.weight"] = try .doubles([5, 2], (0..<10).map(Double.init))
    // The table of positions is not there, and is never asked for.
    var names: [String] = []
    try model.pass().run(["input_ids": .integers([1, 1], [0])]) { state in
      names.append(state.name)
      return false
    }
    #expect(names == ["trace/tokens"])
  }
}
