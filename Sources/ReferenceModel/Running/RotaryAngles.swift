internal import Architectures
internal import Tensors

/// How far each pair of components turns from one position to the next.
struct RotaryAngles {
  /// The angle of each pair: base^(−2i/dims), stretched for long contexts as the scaling says.
  let frequencies: [Double]
  /// What turned components are multiplied by.
  let magnitude: Double
  /// Whether a longer sequence turns the positions that it has already by other angles.
  var changesWithLength = false

  /// The angles for a sequence of `length` positions.
  ///
  /// - Throws: `unsupported` for a scaling that is not computed; what formulas throw.
  init(
    _ it: Operation.Rotary, _ environment: Environment, dimensions: Int, length: Int
  ) throws {
    let base = try environment.number(it.base)
    func plain(_ base: Double) -> [Double] {
      (0..<dimensions / 2).map { 1 / Elementary.pow(base, Double(2 * $0) / Double(dimensions)) }
    }
    let kind = try it.scaling.map { try environment.word($0.kind) } ?? "none"
    guard let scaling = it.scaling, kind != "none" else {
      (frequencies, magnitude) = (plain(base), 1)
      return
    }
    let factor = try environment.number(scaling.factor)
    let original = try environment.number(scaling.originalPositions)
    switch kind {
    case "linear": (frequencies, magnitude) = (plain(base).map { $0 / factor }, 1)
    case "dynamic":
      // The base grows with what goes beyond the positions of the training.
      guard dimensions > 2 else {
        throw IngotError(.malformed, "\(dimensions) components have no dynamic scaling")
      }
      let share = max(1, factor * max(Double(length), original) / original - (factor - 1))
      let exponent = Double(dimensions) / Double(dimensions - 2)
      (frequencies, magnitude) = (plain(base * Elementary.pow(share, exponent)), 1)
      changesWithLength = Double(length) > original
    case "llama3":
      // Waves longer than the original context are stretched by `factor`, short ones stay, and those
      // between go over smoothly.
      let low = try environment.number(scaling.lowFrequencyFactor)
      let high = try environment.number(scaling.highFrequencyFactor)
      frequencies = plain(base).map { frequency in
        let turns = original * frequency / (2 * Double.pi)
        if turns < low { return frequency / factor }
        if turns > high { return frequency }
        let share = (turns - low) / (high - low)
        return (1 - share) * frequency / factor + share * frequency
      }
      magnitude = 1
    case "yarn":
      let shares = try Self.yarnShares(scaling, environment, dimensions, base, original)
      frequencies = zip(plain(base), shares).map { frequency, share in
        share * frequency / factor + (1 - share) * frequency
      }
      magnitude = try Self.yarnMagnitude(scaling, environment, factor)
    default: throw IngotError(.unsupported, "rotary scaling '\(kind)' is not computed")
    }
  }

  /// YaRN, arXiv 2309.00071: how much each pair is scaled, from 0 for those that turn often over the
  /// original positions to 1 for those that hardly do.
  private static func yarnShares(
    _ scaling: Operation.Rotary.Scaling, _ environment: Environment, _ dimensions: Int,
    _ base: Double, _ original: Double
  ) throws -> [Double] {
    // The pair that turns so often, between two pairs as a rule.
    func pair(turning turns: Double) -> Double {
      Double(dimensions) * Elementary.log(original / (turns * 2 * Double.pi))
        / (2 * Elementary.log(base))
    }
    var first = pair(turning: try environment.number(scaling.betaFast))
    var last = pair(turning: try environment.number(scaling.betaSlow))
    if try environment.holds(scaling.truncates) {
      (first, last) = (first.rounded(.down), last.rounded(.up))
    }
    (first, last) = (max(first, 0), min(last, Double(dimensions - 1)))
    if first == last { last += 0.001 }
    return (0..<dimensions / 2).map { min(max((Double($0) - first) / (last - first), 0), 1) }
  }

  private static func yarnMagnitude(
    _ scaling: Operation.Rotary.Scaling, _ environment: Environment, _ factor: Double
  ) throws -> Double {
    let given = try environment.number(scaling.attentionFactor)
    guard given == 0 else { return given }
    func magnitude(_ mscale: Double) -> Double {
      factor <= 1 ? 1 : 0.1 * mscale * Elementary.log(factor) + 1
    }
    let mscale = try environment.number(scaling.mscale)
    let all = try environment.number(scaling.mscaleAllDimensions)
    return mscale != 0 && all != 0 ? magnitude(mscale) / magnitude(all) : magnitude(1)
  }
}
