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

  /// What is held of the weight at once: a head over a large vocabulary is never whole in memory, and what
  /// was read is still in the last cache when the product needs it.
  private static var bytesHeld: Int { 8 << 20 }

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
    // Some ecosystems store [inputs, outputs]: read as it lies, a product takes either.
    let stored = weight.shape.rank == 2 ? weight.untransposed : nil
    let matrix = stored ?? weight
    let lies: Products.Layout = stored == nil ? .outputsFirst : .inputsFirst
    let role = try WeightReader.role(operation.weights[0], of: operation, scope)
    // What fits single precision is held so, and widened by the product itself.
    if matrix.elementType.layout.isNarrower(thanBytes: 8) {
      try multiply(x, by: matrix, role, lies, as: Float.self, into: &y, adding: bias != nil)
    } else {
      try multiply(x, by: matrix, role, lies, as: Scalar.self, into: &y, adding: bias != nil)
    }
    return y
  }

  /// x times the weight of that role, of which rows are read as `Stored` when they are needed, into y or
  /// added to it.
  private func multiply<Stored: Real>(
    _ x: Numbers<Scalar>, by matrix: Tensor, _ role: String, _ lies: Products.Layout,
    as _: Stored.Type, into y: inout Numbers<Scalar>, adding isSum: Bool
  ) throws {
    let (inputs, outputs) = (x.width, y.width)
    if let memory {
      // Read whole once, for every step to come.
      let held: [Stored] = try memory.elements(role) {
        try WeightReader.elements(of: matrix, jobs: jobs)
      }
      Products.multiply(
        x.elements, rows: x.rows, by: held, lies, columns: outputs, inner: inputs,
        into: &y.elements, pitch: outputs, adding: isSum, jobs: jobs)
      return
    }
    let (length, width) = lies == .outputsFirst ? (outputs, inputs) : (inputs, outputs)
    let elementsHeld = Self.bytesHeld / MemoryLayout<Stored>.size
    let step = max(1, min(length, elementsHeld / max(1, width)))
    var block: [Stored] = []
    for first in stride(from: 0, to: length, by: step) {
      let end = min(first + step, length)
      try WeightReader.read(matrix, first * width..<end * width, into: &block, jobs: jobs)
      switch lies {
      case .outputsFirst:
        Products.multiply(
          x.elements, rows: x.rows, by: block, lies, columns: end - first, inner: inputs,
          into: &y.elements, at: first, pitch: outputs, adding: isSum, jobs: jobs)
      case .inputsFirst:
        Products.multiply(
          x.elements, rows: x.rows, from: first, width: inputs, by: block, lies,
          columns: outputs, inner: end - first, into: &y.elements, pitch: outputs,
          adding: isSum || first > 0, jobs: jobs)
      }
    }
  }
}
