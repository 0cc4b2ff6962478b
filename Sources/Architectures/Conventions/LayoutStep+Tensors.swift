internal import Tensors

/// Layouts as lazy views, there and back.
extension LayoutStep {
  /// The tensor in the stored layout.
  ///
  /// - Parameter parts: The first-axis sizes of the parts that were joined.
  func applied(to tensor: Tensor, parts: [Int], _ environment: Environment) throws -> Tensor {
    switch self {
    case .transpose: try tensor.transposed([1, 0])
    case .permute(let axes): try tensor.transposed(axes)
    case .reshape(let dimensions):
      try tensor.reshaped(to: Shape(dimensions.map(environment.count)))
    case .interleaveHeads(let heads):
      try Self.dealt(tensor, outer: parts.count, inner: environment.count(heads))
    case .rotaryPairs(let heads):
      try Self.paired(tensor, heads: environment.count(heads), from: 2)
    }
  }

  /// The tensor in the canonical layout.
  ///
  /// - Parameters:
  ///   - shape: The shape before this step.
  ///   - parts: The first-axis sizes of the parts that were joined.
  func undone(
    on tensor: Tensor, shape: Shape, parts: [Int], _ environment: Environment
  ) throws -> Tensor {
    switch self {
    case .transpose: return try tensor.transposed([1, 0])
    case .permute(let axes):
      return try tensor.transposed(axes.indices.map { axis in axes.firstIndex(of: axis) ?? axis })
    case .reshape: return try tensor.reshaped(to: shape)
    case .interleaveHeads(let heads):
      return try Self.dealt(tensor, outer: environment.count(heads), inner: parts.count)
    case .rotaryPairs(let heads):
      let count = try environment.count(heads)
      let rows = tensor.shape.dimensions[0]
      guard count > 0, rows % (2 * count) == 0 else { throw Self.uneven(rows, count) }
      return try Self.paired(tensor, heads: count, from: rows / (2 * count))
    }
  }

  /// [outer, inner, rest] → [inner, outer, rest] along the first axis.
  private static func dealt(_ tensor: Tensor, outer: Int, inner: Int) throws -> Tensor {
    let dimensions = tensor.shape.dimensions
    guard let rows = dimensions.first, outer > 0, inner > 0, rows % (outer * inner) == 0 else {
      throw uneven(dimensions.first ?? 0, outer * inner)
    }
    let rest = [rows / (outer * inner)] + dimensions.dropFirst()
    return try tensor.reshaped(to: Shape([outer, inner] + rest))
      .transposed([1, 0] + Array(2..<2 + rest.count))
      .reshaped(to: tensor.shape)
  }

  /// [heads, from, rows / (heads·from), rest] with its second and third axes swapped.
  private static func paired(_ tensor: Tensor, heads: Int, from: Int) throws -> Tensor {
    let dimensions = tensor.shape.dimensions
    guard let rows = dimensions.first, heads > 0, rows % (heads * from) == 0,
      rows % (2 * heads) == 0
    else { throw uneven(dimensions.first ?? 0, 2 * heads) }
    let rest = Array(dimensions.dropFirst())
    return try tensor.reshaped(to: Shape([heads, from, rows / (heads * from)] + rest))
      .transposed([0, 2, 1] + Array(3..<3 + rest.count))
      .reshaped(to: tensor.shape)
  }

  private static func uneven(_ rows: Int, _ parts: Int) -> IngotError {
    IngotError(.malformed, "\(rows) rows do not divide into \(parts) equal parts")
  }
}

/// Layouts on dimensions that are formulas, for telling sizes from stored shapes.
extension LayoutStep {
  func applied(to shape: [Expression]) -> [Expression] {
    switch self {
    case .transpose: shape.reversed()
    case .permute(let axes): axes.map { shape[$0] }
    case .reshape(let dimensions): dimensions
    case .interleaveHeads, .rotaryPairs: shape
    }
  }
}
