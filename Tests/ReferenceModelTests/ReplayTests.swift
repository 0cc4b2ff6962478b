import Tensors
import Testing

@testable import ReferenceModel

/// A part of a pass done again gives what the whole pass gave.
@Suite struct ReplayTests {
  private static let fixtures = ModelFixture.all.filter {
    ["gpt2", "albert", "bert", "bart", "t5-v1_1", "mixtral", "gpt-neox", "vit"].contains($0.folder)
  }

  @Test(arguments: fixtures, [Precision.float64, .float32])
  func `a replay comes to the same state, from wherever it starts`(
    fixture: ModelFixture, precision: Precision
  ) throws {
    let golden = try fixture.golden()
    let pass = try fixture.pass(precision)
    var states: [State] = []
    try pass.run(golden.inputs) {
      states.append($0)
      return true
    }
    for target in states.indices {
      let half = Set((0..<target).filter { $0 % 3 == 0 })
      for known in [Set(0..<target), half, []] {
        let replay = try ForwardReplay(pass, golden.inputs, to: target, from: known)
        let value = try replay.state(weights: pass.weights)
        #expect(value.shape == states[target].value.shape)
        #expect(value.doubles == states[target].value.doubles, "\(states[target].name) \(known)")
      }
    }
  }

  @Test func `only what lies between is done`() throws {
    let fixture = try #require(ModelFixture.all.first { $0.folder == "gpt2" })
    let golden = try fixture.golden()
    let pass = try fixture.pass()
    var names: [String] = []
    try pass.run(golden.inputs) {
      names.append($0.name)
      return true
    }
    func roles(to state: String, from known: [String]) throws -> [String] {
      let target = try #require(names.firstIndex(of: state))
      let replay = try ForwardReplay(
        pass, golden.inputs, to: target, from: Set(known.compactMap { names.firstIndex(of: $0) }))
      return try replay.operations.flatMap { try $0.roles }
    }
    let attention = ["query", "key", "value", "output"].flatMap { part in
      ["weight", "bias"].map { "layers.1.attention.\(part).\($0)" }
    }
    let before = "trace/layers.1.attention_norm"
    #expect(try roles(to: "trace/layers.1.attention", from: [before]) == attention)
    // What does not lead there is no part of it, known or not.
    #expect(
      try roles(to: "trace/layers.1.attention", from: [before, "trace/embedding"]) == attention)
    #expect(
      try roles(to: before, from: ["hidden/1"])
        == ["layers.1.attention_norm.weight", "layers.1.attention_norm.bias"])
    #expect(try roles(to: "hidden/1", from: []).first == "embedding.tokens.weight")
    #expect(try roles(to: "hidden/1", from: ["hidden/1"]) == [])
    #expect(try roles(to: "output/loss", from: ["hidden/3"]) == ["embedding.tokens.weight"])
  }

  @Test func `a model that does other things cannot take its place`() throws {
    let fixture = try #require(ModelFixture.all.first { $0.folder == "gpt2" })
    let other = try #require(ModelFixture.all.first { $0.folder == "bert" })
    let golden = try fixture.golden()
    let pass = try fixture.pass()
    let replay = try ForwardReplay(pass, golden.inputs, to: 3, from: [])
    #expect {
      try replay.state(model: other.pass().model, weights: pass.weights)
    } throws: { ($0 as? IngotError)?.message == "a model that does other things" }
    #expect {
      try ForwardReplay(pass, golden.inputs, to: 1000, from: [])
    } throws: { ($0 as? IngotError)?.message == "there is no state 1000" }
  }
}
