import Tensors
import TestSupport
import Testing

@testable import Architectures
@testable import ReferenceModel

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Operations against their definitions, written once more in the plainest way.
@Suite struct OperationTests {
  @Test(arguments: Operation.Norm.Kind.allCases, [0.0, 1.0])
  func `norms are their formulas`(kind: Operation.Norm.Kind, offset: Double) throws {
    var random = SeededGenerator(seed: 11)
    let (rows, width) = (5, 37)
    let x = [Double].random(rows * width, &random)
    let w = [Double].random(width, &random)
    let b = [Double].random(width, &random)
    let model = SmallModel.operation(
      .norm(
        .init(
          name: "norm", kind: kind, input: "x", width: 37, epsilon: 0.01,
          offset: .init(floatLiteral: offset), output: "y")), features: ["x": width],
      weights: [
        "norm.weight": try .doubles([width], w), "norm.bias": try .doubles([width], b),
      ])
    var expected: [Double] = []
    for row in 0..<rows {
      let part = x[row * width..<(row + 1) * width]
      let mean = kind == .rms ? 0 : part.reduce(0, +) / 37
      let squares = part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let deviation =
        switch kind {
        case .layer, .rms: (squares / 37 + 0.01).squareRoot()
        case .bessel: (squares / 36).squareRoot() + 0.01
        }
      expected += zip(part, zip(w, b)).map { ($0 - mean) / deviation * ($1.0 + offset) + $1.1 }
    }
    let y = try #require(try model.outputs(["x": .doubles([1, rows, width], x)])["y"])
    #expect(y.doubles.maxRelative(to: expected) < 1e-14)
  }

  @Test(arguments: Activation.allCases)
  func `activations are their formulas`(function: Activation) throws {
    let x = stride(from: -30.0, through: 30, by: 0.37).map { $0 }
    let expected = x.map { x -> Double in
      switch function {
      case .relu: max(0, x)
      case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
      case .geluTanh: x * 0.5 * (1 + tanh((2 / .pi).squareRoot() * (x + 0.044715 * x * x * x)))
      case .geluSigmoid: x / (1 + exp(-1.702 * x))
      case .silu: x / (1 + exp(-x))
      case .tanh: tanh(x)
      }
    }
    let model = SmallModel.operation(
      .activation(
        .init(input: "x", function: "'\(function.rawValue)'".expression, output: "y")),
      features: ["x": x.count])
    let y = try #require(try model.outputs(["x": .doubles([1, 1, x.count], x)])["y"])
    for (a, b) in zip(y.doubles, expected) { #expect(abs(a - b) <= 4e-15 * max(1, abs(b))) }
    let single = try model.outputs(["x": .doubles([1, 1, x.count], x)], .float32)["y"]
    for (a, b) in zip(try #require(single).doubles, expected) {
      #expect(abs(a - b) <= 1e-6 * max(1, abs(b)))
    }
  }

  @Test func `NaN passes through everything`() throws {
    for function in Activation.allCases {
      let model = SmallModel.operation(
        .activation(.init(input: "x", function: "'\(function.rawValue)'".expression, output: "y")),
        features: ["x": 2])
      for precision in Precision.allCases {
        let y = try model.outputs(["x": .doubles([1, 1, 2], [.nan, 1])], precision)["y"]
        #expect(y?.doubles.first?.isNaN == true, "\(function)")
      }
    }
    let model = SmallModel.operation(
      .attention(
        .init(query: "q", key: "q", value: "q", heads: 1, keyHeads: 1, isCausal: false, output: "y")
      ),
      features: ["q": 1])
    for precision in Precision.allCases {
      let y = try model.outputs(["q": .doubles([1, 3, 1], [1, .nan, 2])], precision)["y"]
      #expect(y?.doubles.allSatisfy(\.isNaN) == true)
    }
  }

  @Test(arguments: Operation.Rotary.Order.allCases, [6, 4])
  func `rotary positions turn pairs`(order: Operation.Rotary.Order, dimensions: Int) throws {
    var random = SeededGenerator(seed: 3)
    let (sequence, heads, size) = (5, 2, 6)
    let x = [Double].random(sequence * heads * size, &random)
    let model = SmallModel.operation(
      .rotary(
        .init(
          input: "x", heads: 2, headSize: 6, dimensions: .init(integerLiteral: dimensions),
          base: 100, order: order, output: "y")), features: ["x": heads * size],
      ids: ["position_ids": 50])
    for positions in [Array(0..<sequence), [3, 1, 4, 1, 40]] {
      var expected = x
      for row in 0..<sequence * heads {
        for pair in 0..<dimensions / 2 {
          let angle =
            Double(positions[row / heads]) * pow(100, -Double(2 * pair) / Double(dimensions))
          let one = row * size + (order == .halves ? pair : 2 * pair)
          let other = row * size + (order == .halves ? pair + dimensions / 2 : 2 * pair + 1)
          expected[one] = x[one] * cos(angle) - x[other] * sin(angle)
          expected[other] = x[one] * sin(angle) + x[other] * cos(angle)
        }
      }
      let y = try #require(
        try model.outputs([
          "x": .doubles([1, sequence, heads * size], x),
          "position_ids": .integers([1, sequence], positions),
        ])["y"])
      #expect(y.doubles.maxRelative(to: expected) < 1e-14)
    }
  }

  @Test func `buckets of distances are T5's, in either precision`() {
    // The library computes the logarithms in float32; no distance falls on the other side of a bound.
    for isBidirectional in [true, false] {
      for distance in -2000...2000 {
        let share = isBidirectional ? 16 : 32
        let first = isBidirectional && distance > 0 ? share : 0
        let far = isBidirectional ? abs(distance) : max(0, -distance)
        let exact = share / 2
        let logarithm = Float(log(Double(Float(max(far, exact)) / Float(exact))))
        let large = exact + Int(logarithm / Float(log(128 / Double(exact))) * Float(share - exact))
        let expected = first + (far < exact ? far : min(large, share - 1))
        #expect(
          RelativeBuckets.bucket(distance, 32, farthest: 128, isBidirectional: isBidirectional)
            == expected)
      }
    }
  }

  @Test(arguments: [(1, 1, 0), (3, 1, 1), (3, 2, 1), (4, 3, 2), (5, 1, 0)])
  func `a convolution is its formula`(kernel: Int, stride: Int, padding: Int) throws {
    var random = SeededGenerator(seed: 11)
    let (batch, sequence, inputs, outputs) = (2, 7, 3, 4)
    let steps = (sequence + 2 * padding - kernel) / stride + 1
    let x = [Double].random(batch * sequence * inputs, &random)
    let weight = [Double].random(outputs * inputs * kernel, &random)
    let bias = [Double].random(outputs, &random)
    let model = SmallModel.operation(
      .convolution(
        .init(
          name: "c", input: "x", inputs: 3, outputs: 4, kernel: .init(integerLiteral: kernel),
          stride: .init(integerLiteral: stride), padding: .init(integerLiteral: padding),
          output: "y")),
      features: ["x": inputs],
      weights: [
        "c.weight": try .doubles([outputs, inputs, kernel], weight),
        "c.bias": try .doubles([outputs], bias),
      ])
    var expected: [Double] = []
    for row in 0..<batch {
      for step in 0..<steps {
        for output in 0..<outputs {
          var sum = bias[output]
          for tap in 0..<kernel {
            let position = step * stride + tap - padding
            guard position >= 0, position < sequence else { continue }
            for input in 0..<inputs {
              sum +=
                weight[(output * inputs + input) * kernel + tap]
                * x[(row * sequence + position) * inputs + input]
            }
          }
          expected.append(sum)
        }
      }
    }
    let found = try #require(
      try model.outputs(["x": .doubles([batch, sequence, inputs], x)])["y"])
    #expect(found.shape == [batch, steps, outputs])
    #expect(found.doubles.maxRelative(to: expected) < 1e-14)
  }

  @Test func `frames are features turned round, of one length`() throws {
    let model = SmallModel(
      inputs: [.init(name: "x", kind: .frames, size: 2, length: 3)],
      steps: [
        .operation(.scale(.init(input: "x", factor: 1, output: "y"))), .result("y", name: "y"),
      ])
    let y = try model.outputs(["x": .doubles([2, 2, 3], (1...12).map(Double.init))])["y"]
    #expect(y?.shape == [2, 3, 2])
    #expect(y?.doubles == [1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12])
    for (shape, message) in [
      ([1, 3, 3], "the input 'x': frames of 3 where '2' is 2"),
      ([1, 2, 4], "the input 'x': a length of 4 where '3' is 3"),
    ] {
      let x = [Double](repeating: 0, count: shape.reduce(1, *))
      #expect {
        try model.outputs(["x": .doubles(shape, x)])
      } throws: { "\($0)" == message }
    }
  }

  @Test func `values are repeated over axes that they lack`() throws {
    let model = SmallModel(
      inputs: [
        .init(name: "x", kind: .features, size: 2), .init(name: "z", kind: .features, size: 2),
      ],
      steps: [
        .operation(.firstPosition(.init(input: "x", output: "f"))),
        .operation(.combine(.init(kind: .multiply, left: "f", right: "x", output: "y"))),
        .result("y", name: "y"),
      ])
    #expect {
      try model.outputs([
        "x": .doubles([3, 2, 2], Array(repeating: 1, count: 12)),
        "z": .doubles([3, 2, 2], Array(repeating: 1, count: 12)),
      ])
    } throws: { "\($0)".contains("do") }
    let y = try model.outputs([
      "x": .doubles([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
      "z": .doubles([2, 2, 2], [0, 0, 0, 0, 0, 0, 0, 0]),
    ])["y"]
    #expect(y?.doubles == [1, 4, 15, 24, 5, 12, 35, 48])
  }

  @Test func `parts of groups are cut out and joined again`() throws {
    let steps: [Step] = [
      .operation(.slice(.init(input: "x", groups: 2, start: 0, count: 1, output: "a"))),
      .operation(.slice(.init(input: "x", groups: 2, start: 1, count: 2, output: "b"))),
      .operation(.concatenate(.init(left: "b", right: "a", groups: 2, output: "y"))),
      .result("y", name: "y"), .result("a", name: "a"),
    ]
    let model = SmallModel(
      inputs: [.init(name: "x", kind: .features, size: 6)], steps: steps)
    let outputs = try model.outputs(["x": .doubles([1, 1, 6], [1, 2, 3, 4, 5, 6])])
    #expect(outputs["a"]?.doubles == [1, 4])
    #expect(outputs["y"]?.doubles == [2, 3, 1, 5, 6, 4])
  }

  @Test func `one part is joined to every group`() throws {
    let model = SmallModel(
      inputs: [
        .init(name: "x", kind: .features, size: 4), .init(name: "z", kind: .features, size: 1),
      ],
      steps: [
        .operation(
          .concatenate(.init(left: "x", right: "z", groups: 2, sharesRight: true, output: "y"))),
        .result("y", name: "y"),
      ])
    let y = try model.outputs([
      "x": .doubles([1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), "z": .doubles([1, 2, 1], [9, 10]),
    ])["y"]
    #expect(y?.shape == [1, 2, 6])
    #expect(y?.doubles == [1, 2, 9, 3, 4, 9, 5, 6, 10, 7, 8, 10])
  }

  @Test(arguments: [true, false], [1, 3])
  func `experts are summed by their shares`(normalizes: Bool, groups: Int) throws {
    var random = SeededGenerator(seed: 5)
    let (rows, width, count, active) = (9, 4, 6, 3)
    let x = [Double].random(rows * width, &random)
    let router = [Double].random(count * width, &random)
    let matrices = (0..<count).map { _ in [Double].random(width * width, &random) }
    var model = SmallModel.operation(
      .experts(
        .init(
          name: "experts", input: "x", width: 4, count: 6, active: 3,
          normalizes: .init(booleanLiteral: normalizes), groups: .init(integerLiteral: groups),
          activeGroups: groups == 1 ? 1 : 2,
          steps: [
            .linear("up", "x", from: 4, to: 4, bias: false, as: .feedForwardUp, into: "u")
          ], result: "u", output: "y")), features: ["x": width])
    model.weights["experts.router.weight"] = try .doubles([count, width], router)
    for (index, matrix) in matrices.enumerated() {
      model.weights["experts.\(index).up.weight"] = try .doubles([width, width], matrix)
    }
    var expected: [Double] = []
    for row in 0..<rows {
      let features = Array(x[row * width..<(row + 1) * width])
      func product(_ matrix: [Double], _ outputs: Int) -> [Double] {
        (0..<outputs).map { o in
          (0..<width).reduce(0) { $0 + matrix[o * width + $1] * features[$1] }
        }
      }
      let scores = product(router, count).map { exp($0) }
      // The group with the worst best expert is out of the question.
      let groupScores = (0..<groups).map { group in
        scores.indices.filter { $0 * groups / count == group }.map { scores[$0] }.max() ?? 0
      }
      let least = groups == 1 ? -1 : groupScores.min()
      let best = scores.indices.filter { groupScores[$0 * groups / count] != least }
        .sorted { scores[$0] > scores[$1] }.prefix(active)
      let sum = normalizes ? best.reduce(0) { $0 + scores[$1] } : scores.reduce(0, +)
      let results = best.map { expert in (scores[expert] / sum, product(matrices[expert], width)) }
      expected += (0..<width).map { c in results.reduce(0) { $0 + $1.0 * $1.1[c] } }
    }
    let y = try #require(try model.outputs(["x": .doubles([3, 3, width], x)])["y"])
    #expect(y.doubles.maxRelative(to: expected) < 1e-14)
  }

  @Test(arguments: [(4, 2), (3, 4), (3, 0)])
  func `groups that cannot be are refused`(groups: Int, active: Int) throws {
    var model = SmallModel.operation(
      .experts(
        .init(
          name: "experts", input: "x", width: 4, count: 6, active: 2,
          groups: .init(integerLiteral: groups), activeGroups: .init(integerLiteral: active),
          steps: [.scale("x", by: 1, into: "u")], result: "u", output: "y")), features: ["x": 4])
    model.weights["experts.router.weight"] = try .doubles(
      [6, 4], [Double](repeating: 0, count: 24))
    #expect {
      try model.outputs(["x": .doubles([1, 1, 4], [1, 2, 3, 4])])
    } throws: {
      "\($0)".contains("\(active) of \(groups) groups of 6 experts cannot be active")
    }
  }

  @Test func `dynamic scaling needs more than a pair of components`() throws {
    let model = SmallModel.operation(
      .rotary(
        .init(
          input: "x", heads: 1, headSize: 2, dimensions: 2, base: 100,
          scaling: .init(
            kind: "'dynamic'", factor: 2, lowFrequencyFactor: 1, highFrequencyFactor: 4,
            originalPositions: 1), output: "y")), features: ["x": 2])
    #expect {
      try model.outputs(["x": .doubles([1, 1, 2], [1, 2])])
    } throws: { "\($0)".contains("2 components have no dynamic scaling") }
  }

  @Test func `the loss leaves out ignored labels and spreads what is smoothed`() throws {
    var random = SeededGenerator(seed: 13)
    let (rows, classes) = (4, 6)
    let x = [Double].random(rows * classes, &random)
    var model = SmallModel.operation(
      .scale(.init(input: "x", factor: 1, output: "y")), features: ["x": classes])
    model.steps.append(.result("y", name: "logits"))
    let labels = [2, -100, 0, 5]
    for smoothing in [0, 0.1] {
      var losses: [Double] = []
      for (row, label) in labels.enumerated() where label != -100 {
        let scores = x[row * classes..<(row + 1) * classes].map { exp($0) }
        let logs = scores.map { -log($0 / scores.reduce(0, +)) }
        losses.append((1 - smoothing) * logs[label] + smoothing * logs.reduce(0, +) / 6)
      }
      let found = try model.outputs([
        "x": .doubles([2, 2, classes], x), "labels": .integers([2, 2], labels),
        "label_smoothing": .doubles([], [smoothing]),
      ])["loss"]
      #expect(abs(try #require(found?.doubles.first) - losses.reduce(0, +) / 3) < 1e-14)
    }
    #expect {
      try model.outputs([
        "x": .doubles([2, 2, classes], x), "labels": .integers([2, 2], [0, 1, 6, 2]),
      ])
    } throws: { "\($0)".contains("6 is neither from 0 to 5 nor -100") }
  }
}
