internal import Tensors

/// How a state that the forward pass came to compares with the golden's.
///
/// Only positions that no attention mask hides count. NaN or an infinity, on either side, never passes.
public struct StateComparison: Sendable {
  /// The name in the golden.
  public let name: String
  /// What kind of state it is.
  public let kind: State.Kind
  /// The layer that it lies in or comes out of; nil where it is none, or not known.
  public private(set) var layer: String?
  /// The part of the model that gives it; nil where the golden does not tell.
  public private(set) var component: Component?
  /// The shape.
  public let shape: [Int]
  /// How far values may lie apart.
  public let tolerance: Tolerance
  /// How many values were compared.
  public private(set) var compared = 0
  /// How many lie too far apart.
  public private(set) var outside = 0
  /// How many are NaN or infinite, on either side.
  public private(set) var notFinite = 0
  /// The largest |a − b|; NaN where one of the two is not finite.
  public private(set) var maxAbsolute = 0.0
  /// The mean |a − b|.
  public private(set) var meanAbsolute = 0.0
  /// The largest |a − b| as a multiple of what it may be.
  public private(set) var worst = 0.0
  /// Where that is.
  public private(set) var worstIndex: [Int]?
  /// The cosine of the angle between both; nil where one is 0.
  public private(set) var cosine: Double?
  /// The share of vectors along the last axis whose largest elements stand at the same place; nil for
  /// numbers without axes.
  public private(set) var argmaxAgreement: Double?
  /// Where the pass came to it.
  let origin: Origin
  private let isVisible: [Bool]?
  private var largestExpected = 0.0

  /// max|a − b| / max(1, max|b|).
  public var maxRelative: Double { maxAbsolute / max(1, largestExpected) }
  /// Whether every value is near enough.
  public var isOK: Bool { outside == 0 }

  /// Where the pass came to it.
  struct Origin: Sendable {
    /// How many states came before.
    let number: Int
    /// Our name, where the golden has another.
    let name: String
  }

  init(
    _ name: String, _ origin: Origin, _ state: State, expected: [Double], isVisible: [Bool]?,
    tolerance: (_ meanMagnitude: Double) -> Tolerance
  ) {
    self.init(
      name, origin, state.kind, state.value, expected: expected, isVisible: isVisible,
      tolerance: tolerance)
    (layer, component) = (state.layer, state.component)
  }

  private init(
    _ name: String, _ origin: Origin, _ kind: State.Kind, _ value: StateValue,
    expected: [Double], isVisible: [Bool]?, tolerance: (_ meanMagnitude: Double) -> Tolerance
  ) {
    self.name = name
    self.origin = origin
    self.kind = kind
    self.isVisible = isVisible
    shape = value.shape
    let found = value.doubles
    let width = shape.last ?? 1
    // Masks hide whole rows: all vectors of a position.
    let rowsEach = isVisible.map { max(1, found.count / max(1, width * $0.count)) } ?? 1
    let rows = width == 0 ? 0 : found.count / width
    let visible = (0..<rows).filter { isVisible?[$0 / rowsEach] ?? true }
    var magnitude = 0.0
    for row in visible {
      for index in row * width..<(row + 1) * width where expected[index].isFinite {
        magnitude += abs(expected[index])
        largestExpected = max(largestExpected, abs(expected[index]))
      }
    }
    compared = visible.count * width
    self.tolerance = tolerance(compared == 0 ? 0 : magnitude / Double(compared))
    compare(found, expected, rows: visible, width: width)
    if !shape.isEmpty { compareLargest(found, expected, rows: visible, width: width) }
  }

  /// The same comparison of what a trial gives, so many times as far apart being near enough.
  func repeated(
    _ value: StateValue, expected: [Double], tolerating factor: Double
  ) -> StateComparison {
    StateComparison(
      name, origin, kind, value, expected: expected, isVisible: isVisible
    ) { _ in tolerance.widened(factor) }
  }

  /// Places a state by what it is computed from: the one layer and the one component of all that has
  /// weights.
  mutating func place(between operations: [PlacedOperation]) {
    let weighted = operations.filter { !$0.operation.weights.isEmpty }
    func only<Value: Hashable>(_ values: [Value]) -> Value? {
      Set(values).count == 1 ? values[0] : nil
    }
    layer = only(weighted.map(\.scope.layer)).flatMap { $0 }
    // The norm of an embedding is a part of it.
    component = only(weighted.map(\.component))
    if component == nil, let block = only(weighted.map(\.scope.component)), block != .other {
      component = block
    }
  }

  private mutating func compare(
    _ found: [Double], _ expected: [Double], rows: [Int], width: Int
  ) {
    var (sum, product, squareA, squareB) = (0.0, 0.0, 0.0, 0.0)
    var worstPosition: Int?
    for row in rows {
      for index in row * width..<(row + 1) * width {
        let (a, b) = (found[index], expected[index])
        let difference = abs(a - b)
        let allowed = tolerance.absolute + tolerance.relative * abs(b)
        guard a.isFinite, b.isFinite else {
          notFinite += 1
          outside += 1
          if notFinite == 1 { worstPosition = index }
          continue
        }
        if !(difference <= allowed) { outside += 1 }
        maxAbsolute = max(maxAbsolute, difference)
        let ratio = difference == 0 ? 0 : difference / allowed
        if notFinite == 0, ratio > worst {
          worst = ratio
          worstPosition = index
        }
        sum += difference
        product += a * b
        squareA += a * a
        squareB += b * b
      }
    }
    worstIndex = worstPosition.map { Self.index($0, shape) }
    meanAbsolute = compared == 0 ? 0 : sum / Double(compared)
    let norm = (squareA * squareB).squareRoot()
    if norm > 0, norm.isFinite { cosine = product / norm }
    if notFinite > 0 {
      (maxAbsolute, meanAbsolute, worst, cosine) = (.nan, .nan, .infinity, nil)
    }
  }

  private mutating func compareLargest(
    _ found: [Double], _ expected: [Double], rows: [Int], width: Int
  ) {
    guard !rows.isEmpty, width > 0, notFinite == 0 else { return }
    var agreeing = 0
    for row in rows {
      var (a, b) = (row * width, row * width)
      for index in row * width..<(row + 1) * width {
        if found[index] > found[a] { a = index }
        if expected[index] > expected[b] { b = index }
      }
      if a == b { agreeing += 1 }
    }
    argmaxAgreement = Double(agreeing) / Double(rows.count)
  }

  private static func index(_ position: Int, _ shape: [Int]) -> [Int] {
    var rest = position
    var index: [Int] = []
    for extent in shape.reversed() {
      index.append(rest % extent)
      rest /= extent
    }
    return index.reversed()
  }

  /// The object in reports.
  func json(isOutput: Bool) -> JSON {
    var members: [JSON.Member] = [
      .init(
        "name", .string(isOutput ? String(name.dropFirst("output/".count)) : name)),
      .init("ok", .boolean(isOK)), .init("max_abs", .number(maxAbsolute)),
      .init("max_rel", .number(maxRelative)), .init("mean_abs", .number(meanAbsolute)),
      .init("cosine", cosine.map(JSON.number) ?? .null),
      .init("argmax_agreement", argmaxAgreement.map(JSON.number) ?? .null),
    ]
    guard !isOutput else { return .object(members) }
    members += [
      .init("layer", JSON(layer)), .init("component", JSON(component?.rawValue)),
      .init("shape", JSON(shape)), .init("compared", JSON(compared)),
      .init("outside", JSON(outside)), .init("not_finite", JSON(notFinite)),
      .init("worst_index", worstIndex.map { JSON($0) } ?? .null),
      .init("rtol", .number(tolerance.relative)), .init("atol", .number(tolerance.absolute)),
    ]
    return .object(members)
  }
}
