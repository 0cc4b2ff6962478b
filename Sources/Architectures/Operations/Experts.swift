internal import Tensors

extension Operation {
  /// A mixture of experts: a router scores `count` experts per token, the best `active` are applied
  /// and summed by their softmax weights.
  public struct Experts: Sendable, Hashable {
    /// The name of the group in roles; experts are `NAME.{expert}`.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The size of the last axis.
    public var width: Expression
    /// How many.
    public var count: Expression
    /// How many are applied to a token.
    public var active: Expression
    /// Whether the chosen experts' weights are made to sum to 1.
    public var normalizes: Expression = true
    /// How many groups of neighbours there are; 1 where any expert may be chosen.
    public var groups: Expression = 1
    /// How many of them a token's experts come from: those whose best expert scores highest.
    public var activeGroups: Expression = 1
    /// What one expert does with `input`, ending in `result`.
    public var steps: [Step]
    /// The value of an expert's steps that counts.
    public var result: String
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Experts: WeightedOperation {
  static let word = "experts"

  var operation: Operation { .experts(self) }

  var reads: [String] { [input] }

  var weights: [Weight] { [Weight("router.weight", .matrix, .router, [count, width])] }

  var component: Component? { .experts }

  var isOfLayer: Bool { true }

  var inner: InnerSteps? { experts }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.features(given[0], try check.count(width), input)
    guard let shape = check.values[result] else {
      throw check.failure("an expert ends in '\(result)', which is no value")
    }
    guard shape.dropLast() == given[0].dropLast() else {
      throw check.failure(
        "an expert makes \(ShapeCheck.text(shape)) of '\(input)', which is "
          + ShapeCheck.text(given[0]))
    }
    return shape
  }

  /// The router; the steps of the experts are operations of their own.
  func work(_ it: ShapeWalk.Application) throws -> ForwardCost.Work? {
    let count = try it.scope.environment.count(self.count)
    return .init(.router, multiplyAdds: try ForwardCost.product(it.inputs[0] + [count]))
  }

  var outline: String {
    "the best \(active.outlined) of \(count.outlined) experts"
      + (groups == 1
        ? "" : " in the best \(activeGroups.outlined) of \(groups.outlined) groups")
      + " of \(input), each giving \(result)"
      + (normalizes.isNever
        ? "" : ", weights made to sum to 1" + normalizes.outlinedCondition)
  }

  static var blank: Self {
    .init(name: "", input: "", width: 0, count: 0, active: 0, steps: [], result: "", output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("width", &width)
    try fields.required("count", &count)
    try fields.required("active", &active)
    try fields.optional("normalizes", &normalizes)
    try fields.optional("groups", &groups)
    try fields.optional("active_groups", &activeGroups)
    try fields.bind("expert", "steps")
    try fields.required("steps", &steps)
    try fields.word("result", &result)
    try fields.word("output", &output)
  }
}

extension Operation.Experts {
  /// What each expert does, in a scope of its own.
  package var experts: InnerSteps {
    .init(
      name: name, variable: "expert", count: count, active: active, component: .experts,
      steps: steps, result: result)
  }
}
