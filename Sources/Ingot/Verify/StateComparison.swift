internal import ReferenceModel
internal import Tensors

/// How a state that the forward pass came to compares with the golden's.
///
/// Only positions that no attention mask hides count. NaN or an infinity, on either side, never passes.
public struct StateComparison: Sendable {
  /// The name in the golden.
  public let name: ExactString
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
  /// Where the pass came to it.
  let origin: Origin
  private let isVisible: [Bool]?
  private let nearness: Nearness
  private let largestExpected: Double

  /// How many values were compared.
  public var compared: Int { nearness.count }
  /// How many lie too far apart.
  public var outside: Int { nearness.outside }
  /// How many are NaN or infinite, on either side.
  public var notFinite: Int { nearness.notFinite }
  /// The largest |a − b|; NaN where one of the two is not finite.
  public var maxAbsolute: Double { notFinite > 0 ? .nan : nearness.maxAbsolute }
  /// The mean |a − b|; NaN where a value is not finite.
  public var meanAbsolute: Double { notFinite > 0 ? .nan : nearness.meanAbsolute }
  /// The largest |a − b| as a multiple of what it may be.
  public var worst: Double { notFinite > 0 ? .infinity : nearness.worst }
  /// Where that is.
  public var worstIndex: [Int]? { nearness.worstPosition.map(index) }
  /// The cosine of the angle between both; nil where one is 0.
  public var cosine: Double? { notFinite > 0 ? nil : nearness.cosine }
  /// The share of vectors along the last axis whose largest elements stand at the same place; nil for
  /// numbers without axes.
  public var argmaxAgreement: Double? {
    guard let width = shape.last, compared > 0, notFinite == 0 else { return nil }
    return Double(nearness.agreeingRows) / Double(compared / width)
  }

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

  /// Compares a state.
  ///
  /// - Parameter isVisible: Whether each position counts; nil where all do.
  /// - Throws: what reading the golden throws.
  init(
    _ name: ExactString, _ origin: Origin, _ state: State, expected: Tensor, isVisible: [Bool]?,
    jobs: Int, tolerance: (_ meanMagnitude: Double) -> Tolerance
  ) throws {
    try self.init(
      name, origin, state.kind, state.value, expected: expected, isVisible: isVisible, jobs: jobs,
      tolerance: tolerance)
    (layer, component) = (state.layer, state.component)
  }

  private init(
    _ name: ExactString, _ origin: Origin, _ kind: State.Kind, _ value: StateValue,
    expected: Tensor, isVisible: [Bool]?, jobs: Int,
    tolerance: (_ meanMagnitude: Double) -> Tolerance
  ) throws {
    self.name = name
    self.origin = origin
    self.kind = kind
    self.isVisible = isVisible
    shape = value.shape
    let rows = StateRows(value, expected: expected, isVisible: isVisible, jobs: jobs)
    let magnitudes = try rows.magnitudes()
    largestExpected = magnitudes.largest
    self.tolerance = tolerance(
      rows.visibleCount == 0 ? 0 : magnitudes.sum / Double(rows.visibleCount))
    nearness = try rows.nearness(self.tolerance)
  }

  /// The same comparison of what a trial gives, so many times as far apart being near enough.
  ///
  /// - Throws: what reading the golden throws.
  func repeated(
    _ value: StateValue, expected: Tensor, tolerating factor: Double, jobs: Int
  ) throws -> StateComparison {
    try StateComparison(
      name, origin, kind, value, expected: expected, isVisible: isVisible, jobs: jobs
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

  private func index(_ position: Int) -> [Int] {
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
        "name", .string(isOutput ? name.removingPrefix("output/") ?? name : name)),
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
