internal import Architectures
internal import Tensors

extension Evaluation {
  /// x [..., inputs] · W [outputs, inputs]ᵀ + b → [..., outputs].
  func linear(
    _ it: Operation.Linear, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let inputs = try scope.environment.count(it.inputs)
    return try product(value(it.input, width: inputs), operation, scope)
  }

  /// Rows of the weight that are held at once, in elements: a head over a large vocabulary is never
  /// whole in memory.
  static var elementsHeld: Int { 4 << 20 }

  /// x [..., inputs] times the operation's weight [outputs, inputs…], rows of which are read as they
  /// are needed, plus its bias where it has one.
  func product(
    _ x: Numbers<Scalar>, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    guard let weight = try weights.tensor("weight", of: operation, scope) else {
      throw IngotError(.internal, "a product without a matrix")
    }
    let bias: Numbers<Scalar>? = try weights.numbers("bias", of: operation, scope)
    let inputs = x.width
    let outputs = weight.shape.dimensions[0]
    guard inputs * outputs == weight.shape.elementCount else {
      throw IngotError(.malformed, "\(inputs) features where the weight has shape \(weight.shape)")
    }
    var y = try Numbers<Scalar>(unfilled: x.shape.dropLast() + [outputs])
    if let bias {
      y.forEachRun(ofRows: outputs, jobs: jobs) { run, span in
        for row in 0..<run.count { Rows.copy(bias.elements, to: &span, row * outputs) }
      }
    }
    if let memory {
      // Read whole once, for every step to come.
      let role = try WeightReader.role(operation.weights[0], of: operation, scope)
      let matrix = try memory.numbers(role) {
        Numbers(
          shape: [outputs, inputs],
          elements: try WeightReader.elements(of: weight, jobs: jobs))
      }
      Products.multiply(
        x.elements, rows: x.rows, byTransposed: matrix.elements, columns: outputs, inner: inputs,
        into: &y.elements, at: 0, pitch: outputs, adding: bias != nil, jobs: jobs)
      return y
    }
    let step = max(1, min(outputs, Self.elementsHeld / max(1, inputs)))
    var block: [Scalar] = []
    for first in stride(from: 0, to: outputs, by: step) {
      let end = min(first + step, outputs)
      try WeightReader.read(weight, first * inputs..<end * inputs, into: &block, jobs: jobs)
      Products.multiply(
        x.elements, rows: x.rows, byTransposed: block, columns: end - first, inner: inputs,
        into: &y.elements, at: first, pitch: outputs, adding: bias != nil, jobs: jobs)
    }
    return y
  }
}
