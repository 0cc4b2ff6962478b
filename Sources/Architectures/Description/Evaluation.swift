internal import Tensors

/// The values that formulas are evaluated with: those of a configuration and of the loops around.
public struct Environment: Sendable {
  private let lookup: @Sendable (String) throws -> Value

  /// Values by name; `lookup` throws where there is none.
  public init(_ lookup: @escaping @Sendable (String) throws -> Value) { self.lookup = lookup }

  /// The same with the values of loop variables before all others.
  func binding(_ variables: [String: Int]) -> Environment {
    guard !variables.isEmpty else { return self }
    return Environment { [lookup] name in
      if let value = variables[name] { return .integer(value) }
      return try lookup(name)
    }
  }

  /// The value of a formula.
  ///
  /// - Throws: what the look-up throws; `malformed` for a division with a rest, an overflow, or kinds
  ///   that do not go together.
  public func value(of expression: Expression) throws -> Value {
    do {
      return try value(expression.node)
    } catch let error as Fault {
      throw IngotError(.malformed, "'\(expression)': \(error.message)")
    }
  }

  /// The value of a formula that is a size: a whole number of 0 or more.
  ///
  /// - Throws: what `value(of:)` throws, and `malformed` for anything else.
  public func count(_ expression: Expression) throws -> Int {
    guard case .integer(let value) = try value(of: expression) else {
      throw IngotError(.malformed, "'\(expression)' is no integer")
    }
    guard value >= 0 else { throw IngotError(.malformed, "'\(expression)' is \(value)") }
    return value
  }

  /// The value of a formula that is a number.
  ///
  /// - Throws: what `value(of:)` throws, and `malformed` for anything else.
  public func number(_ expression: Expression) throws -> Double {
    guard let number = try value(of: expression).number else {
      throw IngotError(.malformed, "'\(expression)' is no number")
    }
    return number
  }

  /// The value of a condition.
  ///
  /// - Throws: what `value(of:)` throws, and `malformed` for anything else.
  public func holds(_ expression: Expression) throws -> Bool {
    guard case .flag(let value) = try value(of: expression) else {
      throw IngotError(.malformed, "'\(expression)' is neither true nor false")
    }
    return value
  }

  /// The value of a formula that is a word.
  ///
  /// - Throws: what `value(of:)` throws, and `malformed` for anything else.
  public func word(_ expression: Expression) throws -> String {
    guard case .word(let value) = try value(of: expression) else {
      throw IngotError(.malformed, "'\(expression)' is no word")
    }
    return value.text
  }

  /// What is wrong inside a formula.
  private struct Fault: Error {
    let message: String
    init(_ message: String) { self.message = message }
  }

  private func value(_ node: Expression.Node) throws -> Value {
    switch node {
    case .constant(let value): return value
    case .name(let name): return try lookup(name)
    case .element(let name, let index):
      guard case .integers(let list) = try lookup(name),
        case .integer(let position) = try value(index), list.indices.contains(position)
      else { throw Fault("\(name) has no such element") }
      return .integer(list[position])
    case .negated(let node):
      switch try value(node) {
      case .integer(let value): return try apply(.minus, 0, value)
      case .real(let value): return .real(-value)
      case let other: throw Fault("\(other) cannot be negated")
      }
    case .not(let node): return .flag(!(try flag(node)))
    case .choice(let condition, let yes, let no): return try value(try flag(condition) ? yes : no)
    case .call(let function, let arguments): return try call(function, arguments.map(value))
    case .binary(.or, let left, let right): return .flag(try flag(left) || flag(right))
    case .binary(.and, let left, let right): return .flag(try flag(left) && flag(right))
    case .binary(let symbol, let left, let right):
      return try apply(symbol, try value(left), try value(right))
    }
  }

  private func flag(_ node: Expression.Node) throws -> Bool {
    guard case .flag(let value) = try value(node) else { throw Fault("a condition is no flag") }
    return value
  }

  private func call(_ function: Expression.Function, _ arguments: [Value]) throws -> Value {
    let numbers = try arguments.map { argument in
      guard let number = argument.number else { throw Fault("\(argument) is no number") }
      return number
    }
    switch function {
    case .sqrt: return .real(numbers[0].squareRoot())
    case .log: return .real(Elementary.log(numbers[0]))
    case .floor:
      guard let integer = Int(exactly: numbers[0].rounded(.down)) else {
        throw Fault("\(arguments[0]) has no integer below")
      }
      return .integer(integer)
    case .min, .max:
      // Exact for integers of any size that occurs; the comparison alone is in floating point.
      let best = numbers.indices.dropFirst().reduce(0) { best, index in
        (function == .min) == (numbers[index] < numbers[best]) ? index : best
      }
      return arguments[best]
    }
  }

  private func apply(_ symbol: Expression.Operator, _ left: Value, _ right: Value) throws -> Value {
    switch symbol {
    case .equal: return .flag(left.isEqual(to: right))
    case .notEqual: return .flag(!left.isEqual(to: right))
    case .or, .and, .lessOrEqual, .greaterOrEqual, .less, .greater, .plus, .minus, .times, .over,
      .modulo:
      break
    }
    if case .integer(let one) = left, case .integer(let other) = right {
      return try apply(symbol, one, other)
    }
    guard let one = left.number, let other = right.number else {
      throw Fault("\(left) \(symbol.rawValue) \(right) makes no sense")
    }
    switch symbol {
    case .lessOrEqual: return .flag(one <= other)
    case .greaterOrEqual: return .flag(one >= other)
    case .less: return .flag(one < other)
    case .greater: return .flag(one > other)
    case .plus: return .real(one + other)
    case .minus: return .real(one - other)
    case .times: return .real(one * other)
    case .over: return .real(one / other)
    case .modulo, .or, .and, .equal, .notEqual:
      throw Fault("\(left) \(symbol.rawValue) \(right) makes no sense")
    }
  }

  private func apply(_ symbol: Expression.Operator, _ one: Int, _ other: Int) throws -> Value {
    let result: (partialValue: Int, overflow: Bool)
    switch symbol {
    case .lessOrEqual: return .flag(one <= other)
    case .greaterOrEqual: return .flag(one >= other)
    case .less: return .flag(one < other)
    case .greater: return .flag(one > other)
    case .plus: result = one.addingReportingOverflow(other)
    case .minus: result = one.subtractingReportingOverflow(other)
    case .times: result = one.multipliedReportingOverflow(by: other)
    case .over, .modulo:
      guard other > 0 else { throw Fault("\(one) \(symbol.rawValue) \(other) makes no sense") }
      if symbol == .modulo { return .integer(one % other) }
      guard one % other == 0 else { throw Fault("\(one) is not divisible by \(other)") }
      return .integer(one / other)
    case .or, .and, .equal, .notEqual: throw Fault("integers are no conditions")
    }
    guard !result.overflow else { throw Fault("\(one) \(symbol.rawValue) \(other) overflows") }
    return .integer(result.partialValue)
  }
}
