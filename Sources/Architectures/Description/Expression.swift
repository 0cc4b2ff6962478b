internal import Tensors

/// A formula over the parameters of an architecture: `heads * head_size`, `layer % 2 == 0`,
/// `activation == 'relu'`.
///
/// Integers stay integers; a division of two integers must leave no rest, so that `width / heads` is
/// also the check that heads divide the width. Words are written in single quotes.
public struct Expression: Sendable, Hashable {
  /// The formula as it was written.
  public let text: String
  let node: Node

  /// The parsed formula.
  indirect enum Node: Sendable, Hashable {
    case constant(Value)
    case name(String)
    case element(String, Node)
    case negated(Node)
    case not(Node)
    case binary(Operator, Node, Node)
    case choice(Node, Node, Node)
    case call(Function, [Node])
  }

  enum Operator: String, Sendable, Hashable, CaseIterable {
    case or = "||"
    case and = "&&"
    case equal = "=="
    case notEqual = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case less = "<"
    case greater = ">"
    case plus = "+"
    case minus = "-"
    case times = "*"
    case over = "/"
    case modulo = "%"
  }

  enum Function: String, Sendable, Hashable {
    case sqrt
    /// The natural logarithm.
    case log
    /// The largest integer that is not above a number.
    case floor
    case min
    case max
  }

  /// Parses a formula.
  ///
  /// - Throws: `malformed` naming the place where it breaks the grammar.
  public init(parsing text: String) throws {
    var parser = ExpressionParser(text)
    node = try parser.whole()
    self.text = text
  }

  init(_ node: Node, text: String) {
    self.node = node
    self.text = text
  }

  /// The names of the parameters and loop variables that it mentions.
  public var names: Set<String> {
    var names: Set<String> = []
    node.collectNames(into: &names)
    return names
  }

  /// Whether it is the constant `false`.
  var isNever: Bool { node == .constant(.flag(false)) }
  /// Whether it is the constant `true`.
  var isAlways: Bool { node == .constant(.flag(true)) }
}

extension Expression: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral
{
  /// A formula in an architecture's own source; a test parses every one of them.
  public init(stringLiteral text: String) {
    do {
      try self.init(parsing: text)
    } catch {
      preconditionFailure("the formula '\(text)' of a built-in architecture: \(error)")
    }
  }

  /// A constant integer.
  public init(integerLiteral value: Int) { self.init(.constant(.integer(value)), text: "\(value)") }

  /// A constant condition.
  public init(booleanLiteral value: Bool) { self.init(.constant(.flag(value)), text: "\(value)") }

  /// A constant real number.
  public init(floatLiteral value: Double) { self.init(.constant(.real(value)), text: "\(value)") }
}

extension Expression: CustomStringConvertible {
  /// The formula as it was written.
  public var description: String { text }
}

extension Expression.Node {
  fileprivate func collectNames(into names: inout Set<String>) {
    switch self {
    case .constant: break
    case .name(let name): names.insert(name)
    case .element(let name, let index):
      names.insert(name)
      index.collectNames(into: &names)
    case .negated(let node), .not(let node): node.collectNames(into: &names)
    case .binary(_, let left, let right):
      left.collectNames(into: &names)
      right.collectNames(into: &names)
    case .choice(let condition, let yes, let no):
      for node in [condition, yes, no] { node.collectNames(into: &names) }
    case .call(_, let arguments): for node in arguments { node.collectNames(into: &names) }
    }
  }
}

/// Arithmetic on formulas, for the shapes of laid-out weights.
extension Expression {
  static func * (left: Expression, right: Expression) -> Expression {
    Expression(.binary(.times, left.node, right.node), text: "(\(left)) * (\(right))")
  }

  static func + (left: Expression, right: Expression) -> Expression {
    Expression(.binary(.plus, left.node, right.node), text: "\(left) + \(right)")
  }
}
