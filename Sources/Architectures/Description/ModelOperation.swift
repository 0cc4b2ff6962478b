/// What an operation says of itself: everything that the walks through a model ask for.
///
/// What has no default is asked for by the compiler; what has one is said by the few operations that
/// are not as usual. An operation is either a `WeightedOperation` or a `WeightlessOperation`.
protocol ModelOperation: FieldMapped, Sendable, Hashable {
  /// The word of its kind, the key of its step in JSON: `relative_bias`.
  static var word: String { get }
  /// The case of `Operation` that wraps it.
  var operation: Operation { get }

  /// The names of the values that it reads, in the order of its formula; masks, which may be left
  /// out, are not among them.
  var reads: [String] { get }
  /// The value that it gives.
  var output: String { get }
  /// The last part of its role, and of the state that it gives, where it has weights.
  var roleName: String? { get }
  /// The weights that it reads, in the order of its formula.
  var weights: [Weight] { get }
  /// The steps inside it.
  var inner: InnerSteps? { get }

  /// The shape of its output.
  ///
  /// - Parameter given: The shapes of the values that it reads, in the order of `reads`.
  /// - Throws: `malformed` naming the operation where sizes do not fit together.
  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int]
  /// The work of matrix products and what it counts as; nil for what is done element by element.
  ///
  /// - Throws: what formulas throw; `malformed` for numbers above 2^63.
  func work(_ it: ShapeWalk.Application) throws -> ForwardCost.Work?
  /// The memory that it takes beside its output.
  ///
  /// - Throws: what formulas throw; `malformed` for numbers above 2^63.
  func memory(_ it: ShapeWalk.Application) throws -> MemoryEstimate.Extra

  /// What it does, in one line for people.
  var outline: String { get }

  /// What its output counts as; nil where that is what the block around counts as.
  var component: Component? { get }
  /// Whether what is around it is a transformer layer.
  var isOfLayer: Bool { get }
  /// The formulas that decide which function it is, sizes aside: an ε, an activation function.
  var functionFormulas: [Expression] { get }
  /// Whether a position of its output depends on later positions of what it reads.
  ///
  /// - Throws: what formulas throw.
  func readsAhead(_ environment: Environment) throws -> Bool
  /// How many positions it has rows for; nil where it does not limit them.
  ///
  /// - Throws: what formulas throw.
  func mostPositions(_ environment: Environment) throws -> Int?
}

/// What is usual.
extension ModelOperation {
  var inner: InnerSteps? { nil }
  func memory(_: ShapeWalk.Application) -> MemoryEstimate.Extra { .init() }
  var component: Component? { nil }
  var isOfLayer: Bool { false }
  var functionFormulas: [Expression] { [] }
  func readsAhead(_: Environment) -> Bool { false }
  func mostPositions(_: Environment) -> Int? { nil }
}

/// An operation with weights, whose roles its name is part of.
protocol WeightedOperation: ModelOperation {
  /// The last part of its role, and of the state that it gives.
  var name: String { get }
}

extension WeightedOperation {
  var roleName: String? { name }
}

/// An operation without weights.
protocol WeightlessOperation: ModelOperation {}

extension WeightlessOperation {
  var roleName: String? { nil }
  var weights: [Weight] { [] }
}

/// Steps inside an operation, done for each of several members: a mixture's experts.
package struct InnerSteps: Sendable {
  /// The name of the group in roles; members are `NAME.{variable}`.
  package let name: String
  /// The variable that numbers the members, from 0.
  package let variable: String
  /// How many members there are.
  package let count: Expression
  /// How many members are applied to a token.
  package let active: Expression
  /// What the weights of members count as.
  package let component: Component
  /// What one member does.
  package let steps: [Step]
  /// The value of a member's steps that counts.
  package let result: String
}
