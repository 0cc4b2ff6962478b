import Testing

@testable import Architectures

@Suite struct ShapeWalkTests {
  @Test(arguments: Architecture.all + SampleArchitectures.all)
  func `the sizes of every architecture fit together`(architecture: Architecture) throws {
    for (what, model) in Configurations.variants(of: architecture) {
      let model = try model.get()
      do {
        var walk = try ShapeWalk(model, batch: 2, sequence: min(7, model.usualSequence))
        try walk.run()
      } catch {
        Issue.record("\(architecture.name) with \(what): \(error)")
      }
    }
  }

  @Test func `shapes are those of the values`() throws {
    var walk = try ShapeWalk(
      Configurations.gpt2(layers: 2, width: 8, heads: 2, positions: 16, vocabulary: 30),
      batch: 2, sequence: 5)
    var results: [String: String] = [:]
    var attentions = 0
    #expect(walk.shapes["input_ids"] == [2, 5])
    try walk.run { event in
      switch event {
      case .operation(let it):
        if case .attention = it.operation {
          attentions += 1
          #expect(it.inputs == [[2, 5, 8], [2, 5, 8], [2, 5, 8]])
          #expect(it.scope.layer == "layers.\(attentions - 1)")
        }
      case .result(let value, let name): results[name] = value
      }
    }
    #expect(attentions == 2)
    #expect(results == ["last_hidden_state": "x", "logits": "logits"])
    #expect(walk.shapes["logits"] == [2, 5, 30])
  }

  /// A model of one step on features [2, 3, 8], ids and pictures.
  private func walk(_ operations: Operation...) throws -> [Int] { try walk(operations) }

  private func walk(_ operations: [Operation]) throws -> [Int] {
    let architecture = Architecture(
      name: "one", summary: "",
      parameters: [
        .count("width"), .count("image_height", default: 6), .count("image_width", default: 4),
      ],
      inputs: [
        .init(name: "x", kind: .features, size: "width"), .init(name: "ids", kind: .ids, size: 9),
        .init(name: "pixels", kind: .pixels, size: 3), .mask,
      ], steps: operations.map(Step.operation), conventions: [], dialects: [], requirements: [])
    let model = try Configurations.model(architecture, ["width": .integer(8)])
    var walk = try ShapeWalk(model, batch: 2, sequence: 3)
    try walk.run()
    return walk.shapes["y"] ?? []
  }

  @Test func `each operation gives its shape`() throws {
    #expect(
      try walk(.embedding(.init(name: "e", input: "ids", rows: 9, width: 5, output: "y")))
        == [2, 3, 5])
    #expect(
      try walk(.positions(.init(name: "p", input: "x", rows: 3, width: 5, output: "y"))) == [3, 5])
    #expect(try walk(.sinusoids(.init(input: "x", width: 5, output: "y"))) == [3, 5])
    #expect(
      try walk(
        .patches(
          .init(name: "p", input: "pixels", channels: 3, patch: 2, width: 7, output: "y")))
        == [2, 6, 7])
    for (kernel, stride, padding, steps) in [
      (3, 1, 1, 3), (3, 2, 1, 2), (2, 1, 0, 2), (5, 3, 2, 1),
    ] {
      let it = Operation.Convolution(
        name: "c", input: "x", inputs: 8, outputs: 5, kernel: .init(integerLiteral: kernel),
        stride: .init(integerLiteral: stride), padding: .init(integerLiteral: padding), output: "y")
      #expect(try walk(.convolution(it)) == [2, steps, 5])
    }
    #expect(try walk(.prefix(.init(name: "c", input: "x", width: 8, output: "y"))) == [2, 4, 8])
    #expect(
      try walk(
        .linear(
          .init(name: "l", input: "x", inputs: 8, outputs: 5, purpose: .other, output: "y")))
        == [2, 3, 5])
    #expect(
      try walk(
        .relativeBias(
          .init(
            name: "r", queries: "x", keys: "ids", heads: 4, buckets: 8, farthest: 9,
            isBidirectional: true, output: "y"))) == [4, 3, 3])
    #expect(
      try walk(.slice(.init(input: "x", groups: 2, start: 1, count: 3, output: "y"))) == [2, 3, 6])
    #expect(
      try walk(.concatenate(.init(left: "x", right: "x", groups: 2, output: "y"))) == [2, 3, 16])
    #expect(try walk(.firstPosition(.init(input: "x", output: "y"))) == [2, 8])
    #expect(
      try walk(
        .sinusoids(.init(input: "x", width: 8, output: "p")),
        .combine(.init(kind: .add, left: "p", right: "x", output: "y"))) == [2, 3, 8])
  }

  @Test func `what does not fit is an error that names the operation and the value`() throws {
    func expect(_ message: String, _ operations: Operation...) {
      #expect {
        _ = try walk(operations)
      } throws: {
        "\($0)" == message
      }
    }
    expect(
      "l: expects 5 features, 'x' has 8",
      .linear(.init(name: "l", input: "x", inputs: 5, outputs: 5, purpose: .other, output: "y")))
    expect(
      "l: reads 'z', which no step before it gives",
      .linear(.init(name: "l", input: "z", inputs: 5, outputs: 5, purpose: .other, output: "y")))
    expect(
      "n: expects 5 features, 'x' has 8",
      .norm(.init(name: "n", kind: .rms, input: "x", width: 5, epsilon: 0.1, output: "y")))
    expect(
      "e: expects 'x' as [batch, sequence], it is 2×3×8",
      .embedding(.init(name: "e", input: "x", rows: 9, width: 5, output: "y")))
    expect(
      "p: patches of 5 do not divide pictures of 6×4",
      .patches(.init(name: "p", input: "pixels", channels: 3, patch: 5, width: 7, output: "y")))
    expect(
      "c: a kernel of 4 at every step of 1 finds no place in the 3 positions of 'x'",
      .convolution(.init(name: "c", input: "x", inputs: 8, outputs: 5, kernel: 4, output: "y")))
    expect(
      "c: expects 5 features, 'x' has 8",
      .convolution(.init(name: "c", input: "x", inputs: 5, outputs: 5, kernel: 3, output: "y")))
    expect(
      "slice: takes components 6 to 10 of the 8 in a group of 'x'",
      .slice(.init(input: "x", start: 6, count: 4, output: "y")))
    expect(
      "rotary: 5 of the 8 components of a head cannot turn in pairs",
      .rotary(
        .init(input: "x", heads: 1, headSize: 8, dimensions: 5, base: 10000, output: "y")))
    expect(
      "combine: 'x' of 2×3×8 and 's' of 3×5 do not go together",
      .sinusoids(.init(input: "x", width: 5, output: "s")),
      .combine(.init(kind: .add, left: "x", right: "s", output: "y")))
    expect(
      "attention: 3 parts do not divide 'x' of 2×3×8",
      .attention(
        .init(
          query: "x", key: "x", value: "x", heads: 3, keyHeads: 3, isCausal: false, output: "y")))
    expect(
      "attention: a head of 'x' has 2 components, one of 'x' 4",
      .attention(
        .init(
          query: "x", key: "x", value: "x", heads: 4, keyHeads: 2, isCausal: false, output: "y")))
    expect(
      "attention: the mask 'nothing' is no input",
      .attention(
        .init(
          query: "x", key: "x", value: "x", heads: 2, keyHeads: 2, isCausal: false,
          mask: "nothing", output: "y")))
  }

  @Test func `a tie to a weight of another shape is refused`() throws {
    #expect {
      _ = try walk(
        .embedding(.init(name: "e", input: "ids", rows: 9, width: 8, output: "z")),
        .linear(
          .init(
            name: "l", input: "x", inputs: 8, outputs: 7, purpose: .head,
            tie: .init(when: true, to: "e.weight"), output: "y")))
    } throws: {
      "\($0)" == "l.weight of 7×8 is tied to e.weight, which is 9×8"
    }
  }
}
