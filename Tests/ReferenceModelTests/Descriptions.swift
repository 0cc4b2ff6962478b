import TestSupport
import Tensors

@testable import Architectures
@testable import ReferenceModel

/// Operations run alone, on values and weights that a test makes up.
struct SmallModel {
  var inputs: [Architecture.Input] = []
  var steps: [Step] = []
  var parameters: [String: Value] = [:]
  var weights: [String: Tensor] = [:]

  /// What the steps make of `inputs`, by result; the last output of `steps` is called `y`.
  func outputs(
    _ given: [ExactString: Tensor], _ precision: Precision = .float64, jobs: Int = 2
  ) throws -> [String: StateValue] {
    try pass(precision, jobs: jobs).outputs(given)
  }

  func pass(_ precision: Precision = .float64, jobs: Int = 2) throws -> ForwardPass {
    let architecture = Architecture(
      name: "small", summary: "", parameters: [], inputs: inputs, steps: steps, conventions: [],
      dialects: [], requirements: [])
    let model = try Model(architecture, Configuration())
    return ForwardPass(model, precision: precision, jobs: jobs) { [weights] role in
      guard let tensor = weights[role] else {
        throw IngotError(.malformed, "no weight '\(role)'")
      }
      return tensor
    }
  }

  /// One operation on features `x` [batch, sequence, width], and on others like it.
  static func operation(
    _ operation: Operation, features: [String: Int] = ["x": 1], weights: [String: Tensor] = [:],
    masks: [String] = [], ids: [String: Int] = [:]
  ) -> SmallModel {
    SmallModel(
      inputs: features.sorted { $0.key < $1.key }.map {
        .init(name: $0.key, kind: .features, size: Expression(integerLiteral: $0.value))
      }
        + masks.map { .init(name: $0, kind: .mask, size: 2, isOptional: true) }
        + ids.map {
          .init(
            name: $0.key, kind: .ids, size: Expression(integerLiteral: $0.value), isOptional: true)
        },
      steps: [.operation(operation), .result(operation.output, name: "y")], weights: weights)
  }
}

extension Tensor {
  static func doubles(_ shape: [Int], _ elements: [Double]) throws -> Tensor {
    try Tensor(
      .float64, shape,
      elements.flatMap { value in
        (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt64($0))) }
      })
  }

  static func integers(_ shape: [Int], _ elements: [Int]) throws -> Tensor {
    try Tensor(
      .int64, shape,
      elements.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } })
  }

  /// Numbers from −1 to 1.
  static func random(_ shape: [Int], _ generator: inout SeededGenerator) throws -> Tensor {
    try doubles(shape, .random(shape.reduce(1, *), &generator))
  }
}

extension [Double] {
  static func random(_ count: Int, _ generator: inout SeededGenerator) -> [Double] {
    (0..<count).map { _ in Double.random(in: -1...1, using: &generator) }
  }

  /// max |a − b| / max(1, max |b|).
  func maxRelative(to other: [Double]) -> Double {
    guard count == other.count else { return .infinity }
    var (largest, scale) = (0.0, 1.0)
    for (a, b) in zip(self, other) {
      largest = abs(a - b) <= largest ? largest : abs(a - b)
      scale = Swift.max(scale, abs(b))
    }
    return largest / scale
  }
}
