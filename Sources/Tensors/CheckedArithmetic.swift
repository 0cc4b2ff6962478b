/// Arithmetic on numbers that came from a file: it throws where the plain operators would trap.
extension Int {
  /// The sum, or `malformed` where it does not fit.
  package func adding(_ other: Int, _ what: @autoclosure () -> String) throws -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    guard !overflow else { throw IngotError(.malformed, "\(what()) exceeds 2^63") }
    return sum
  }

  /// The product, or `malformed` where it does not fit.
  package func multiplied(by other: Int, _ what: @autoclosure () -> String) throws -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    guard !overflow else { throw IngotError(.malformed, "\(what()) exceeds 2^63") }
    return product
  }

  /// The smallest multiple of `alignment` that is not below this number.
  package func roundedUp(toMultipleOf alignment: Int) -> Int {
    let remainder = self % alignment
    return remainder == 0 ? self : self + (alignment - remainder)
  }

  /// The smallest number that both this one and `other`, which are above 0, divide.
  package func leastCommonMultiple(_ other: Int) -> Int {
    var (divisor, rest) = (self, other)
    while rest > 0 { (divisor, rest) = (rest, divisor % rest) }
    return self / divisor * other
  }

  /// A file's unsigned number as an `Int`, or `malformed` where it is above 2^63 − 1.
  package init(fromFile value: UInt64, _ what: @autoclosure () -> String) throws {
    guard let exact = Int(exactly: value) else {
      throw IngotError(.malformed, "\(what()) \(value) exceeds 2^63")
    }
    self = exact
  }
}
