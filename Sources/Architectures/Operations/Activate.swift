internal import Tensors

/// An activation function.
public enum Activation: String, Sendable, Hashable, CaseIterable {
  case relu
  /// x·Φ(x), with the error function.
  case gelu
  /// Its approximation with tanh: 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
  case geluTanh = "gelu_tanh"
  /// x·sigmoid(1.702·x).
  case geluSigmoid = "gelu_sigmoid"
  case silu
  case tanh
}

extension Operation {
  /// An activation function, element by element.
  public struct Activate: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// A word: one of `Activation`.
    public var function: Expression
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Activate: WeightlessOperation {
  static let word = "activation"

  var operation: Operation { .activation(self) }

  var reads: [String] { [input] }

  var functionFormulas: [Expression] { [function] }

  func shape(of given: [[Int]], _: ShapeCheck) -> [Int] { given[0] }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String { "\(function.outlined)(\(input))" }

  static var blank: Self { .init(input: "", function: "''", output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("function", &function)
    try fields.word("output", &output)
  }
}
