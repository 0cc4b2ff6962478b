internal import Tensors

/// The checks that the shape rules of operations share, each an error that names the operation and the
/// value.
struct ShapeCheck {
  let operation: Operation
  let scope: Scope
  let model: Model
  /// The shapes of all values so far by name.
  let values: [String: [Int]]

  /// The value of a formula at this place.
  func count(_ formula: Expression) throws -> Int { try scope.environment.count(formula) }

  /// Whether the model has an input of that name.
  func isInput(_ name: String) -> Bool {
    model.architecture.inputs.contains { $0.name == name }
  }

  func failure(_ message: String) -> IngotError {
    Self.failure(operation, scope, message)
  }

  static func failure(_ operation: Operation, _ scope: Scope, _ message: String) -> IngotError {
    let kind = operation.word.replacing("_", with: " ")
    return IngotError(.malformed, "\(scope.state(operation.name ?? kind)): \(message)")
  }

  static func text(_ shape: [Int]) -> String {
    shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "×")
  }

  func rank(_ shape: [Int], _ rank: Int, _ value: String, _ form: String) throws {
    guard shape.count == rank else {
      throw failure("expects '\(value)' as \(form), it is \(Self.text(shape))")
    }
  }

  func rank(_ shape: [Int], atLeast rank: Int, _ value: String) throws {
    guard shape.count >= rank else {
      throw failure("'\(value)' is \(Self.text(shape)), which has too few axes")
    }
  }

  func equal(_ found: Int, _ expected: Int, _ what: String, _ value: String) throws {
    guard found == expected else {
      throw failure("expects \(expected) \(what), '\(value)' has \(found)")
    }
  }

  func features(_ shape: [Int], _ expected: Int, _ value: String) throws {
    guard let last = shape.last else { throw failure("'\(value)' has no features") }
    try equal(last, expected, "features", value)
  }

  /// The size of each of `groups` equal parts of the last axis.
  func group(_ shape: [Int], _ groups: Int, _ value: String) throws -> Int {
    guard let last = shape.last, groups > 0, last % groups == 0 else {
      throw failure("\(groups) parts do not divide '\(value)' of \(Self.text(shape))")
    }
    return last / groups
  }

  /// The shape of two values element by element: axes are equal from the last on, or 1, or absent.
  func broadcast(
    _ left: [Int], _ right: [Int], _ leftName: String, _ rightName: String
  ) throws -> [Int] {
    var result = left.count >= right.count ? left : right
    let smaller = left.count >= right.count ? right : left
    for (index, size) in zip(result.indices.reversed(), smaller.reversed()) {
      if result[index] == 1 { result[index] = size }
      guard size == 1 || size == result[index] else {
        throw failure(
          "'\(leftName)' of \(Self.text(left)) and '\(rightName)' of \(Self.text(right)) do not "
            + "go together")
      }
    }
    return result
  }
}
