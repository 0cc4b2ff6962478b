internal import Tensors

/// How far a state may lie from the golden's.
///
/// A value a passes against the golden's b where |a − b| ≤ atol + rtol·|b|. Where a user gives neither,
/// both rest on what rounding does to a forward pass: with u the roundoff of the golden's type (or of the
/// arithmetic's, where that is coarser), errors of n roundings add up like a random walk, to about
/// √n·u of the values' size. A state after `layers` layers has seen (1 + layers) stretches of
/// operations, and a sum of k terms rounds k times, except that half and brain floats are summed in
/// float32. So
///
///     rtol = 32·u·√((1 + layers)·k)        atol = rtol · mean |b| of the state
///
/// The mean, not the maximum, is the scale: a few huge activations, as many language models have, must
/// not hide everything else. 32 leaves room for the worst of many values.
///
/// That is about rounding what is computed. Rounding the weights, as a half-precision copy does, moves the
/// states of some models further: there a second checkpoint stands for the golden, and what its own
/// weights do when they are rounded to that type is measured, state by state. Four times the largest
/// difference is atol where that is more.
public struct VerificationTolerance: Sendable, Hashable {
  /// What the user gives in place of rtol.
  public let givenRelative: Double?
  /// What the user gives in place of atol.
  public let givenAbsolute: Double?
  /// The type whose rounding counts.
  public let precision: ElementType
  /// Its roundoff.
  public let roundoff: Double
  /// The terms of the longest sum that are rounded in that type.
  public let terms: Int
  /// Whether what rounding the weights does was measured.
  public let measuresRounding: Bool

  static let margin = 32.0
  static let measuredMargin = 4.0

  init(
    golden: ElementType, arithmetic: Precision, terms: Int, relative: Double?, absolute: Double?,
    measuresRounding: Bool = false
  ) {
    self.measuresRounding = measuresRounding
    let computed: ElementType =
      switch arithmetic {
      case .float64: .float64
      case .float32: .float32
      }
    let candidates = [golden, computed].compactMap { type in
      Golden.roundoffs[type].map { (type: type, roundoff: $0) }
    }
    let coarsest = candidates.max { $0.roundoff < $1.roundoff } ?? (.float64, 0x1p-36)
    precision = coarsest.type
    roundoff = coarsest.roundoff
    self.terms = [.bfloat16, .float16].contains(precision) ? 1 : max(1, terms)
    givenRelative = relative
    givenAbsolute = absolute
  }

  /// The tolerance of a state that so many layers lead to, whose golden has this mean magnitude.
  ///
  /// - Parameter rounding: How far rounding the weights moves it, as far as that was measured.
  public func bounds(layers: Int, meanMagnitude: Double, rounding: Double = 0) -> Tolerance {
    let bound = Self.margin * roundoff * (Double(1 + layers) * Double(terms)).squareRoot()
    return Tolerance(
      relative: givenRelative ?? bound,
      absolute: givenAbsolute ?? max(bound * meanMagnitude, Self.measuredMargin * rounding))
  }

  /// How many times as far apart values may lie where weights were rounded to `type` on the way.
  func factor(ofRoundingTo type: ElementType) -> Double {
    guard givenRelative == nil, givenAbsolute == nil, let other = Golden.roundoffs[type] else {
      return 1
    }
    return max(1, other / roundoff)
  }

  /// The formula with its numbers.
  public var formula: String {
    let relative =
      givenRelative.map { "\($0)" } ?? "32·u·√((1 + layers)·\(terms))"
    let absolute =
      givenAbsolute.map { "\($0)" }
      ?? (givenRelative == nil
        ? "rtol·mean|b|" : "32·u·√((1 + layers)·\(terms))·mean|b|")
    let roundoffText =
      givenRelative == nil || givenAbsolute == nil
      ? ", u = \(roundoff) (\(precision.name))" : ""
    let measured =
      measuresRounding && givenAbsolute == nil
      ? "; atol at least 4 times what rounding the weights of b to \(precision.name) does" : ""
    return "|a − b| ≤ atol + rtol·|b|, rtol = \(relative), atol = \(absolute)\(roundoffText)"
      + measured
  }

  /// The object in reports.
  var json: JSON {
    [
      "formula": .string(formula), "rtol": givenRelative.map(JSON.number) ?? .null,
      "atol": givenAbsolute.map(JSON.number) ?? .null, "precision": .string(precision.name),
      "roundoff": .number(roundoff), "terms": JSON(terms),
    ]
  }
}

extension Tolerance {
  /// The same for values so many times as far apart.
  func widened(_ factor: Double) -> Tolerance {
    Tolerance(relative: relative * factor, absolute: absolute * factor)
  }
}
