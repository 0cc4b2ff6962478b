internal import Tensors

/// How a weight as it should be is made from the weights as they were read, all in canonical layout.
enum WeightEdit: Sendable {
  /// The two axes of a square matrix change places.
  case transposed
  /// It is what was read as another weight.
  case taken(from: String)
  /// These blocks along the first axis, in this order.
  case blocks([Range<Int>])
  /// Something else, made of the weights that the function gives.
  case made(@Sendable (_ weights: (_ role: String) throws -> Tensor) throws -> Tensor)

  /// The weight of `role` as it should be.
  func weight(
    _ role: String, _ weights: (_ role: String) throws -> Tensor
  ) throws -> Tensor {
    switch self {
    case .transposed: try weights(role).transposed([1, 0])
    case .taken(let other): try weights(other)
    case .blocks(let blocks):
      try Self.reordered(weights(role), blocks)
    case .made(let make): try make(weights)
    }
  }

  private static func reordered(_ tensor: Tensor, _ blocks: [Range<Int>]) throws -> Tensor {
    try Tensor.concatenated(
      blocks.map { try tensor.sliced(axis: 0, range: $0) }, axis: 0)
  }
}

/// What conversions do to tensors by mistake, undone.
extension Tensor {
  /// The same elements, where a matrix was given its shape without moving them.
  func rereadTransposed() throws -> Tensor {
    try transposed([1, 0]).reshaped(to: shape)
  }

  /// The other way: the elements lie as the transposed matrix would have them.
  func transposedReread() throws -> Tensor {
    try reshaped(to: Shape(shape.dimensions.reversed())).transposed([1, 0])
  }

  /// The rows of each of `heads` heads moved from halves to pairs, or back; of each head the first
  /// `turning` rows, all where nil.
  func rotaryReordered(toPairs: Bool, heads: Int, turning: Int?) throws -> Tensor {
    let rest = Array(shape.dimensions.dropFirst())
    let size = shape.dimensions[0] / heads
    let turning = turning ?? size
    let axes = [0, 2, 1] + Array(3..<3 + rest.count)
    let all = try reshaped(to: Shape([heads, size] + rest))
    let split = toPairs ? [2, turning / 2] : [turning / 2, 2]
    let moved = try all.sliced(axis: 1, range: 0..<turning)
      .reshaped(to: Shape([heads] + split + rest))
      .transposed(axes)
      .reshaped(to: Shape([heads, turning] + rest))
    guard turning < size else { return try moved.reshaped(to: shape) }
    return try Tensor.concatenated(
      [moved, all.sliced(axis: 1, range: turning..<size)], axis: 1
    ).reshaped(to: shape)
  }

  /// `count` heads of `parts` parts each, dealt out part by part; with the two exchanged the other way.
  func dealt(_ count: Int, by parts: Int) throws -> Tensor {
    let rest = [shape.dimensions[0] / (count * parts)] + shape.dimensions.dropFirst()
    return try reshaped(to: Shape([count, parts] + rest))
      .transposed([1, 0] + Array(2..<2 + rest.count))
      .reshaped(to: shape)
  }

  /// The values with their bytes in the other order.
  func byteSwapped() throws -> Tensor {
    try Tensor(
      elementType: elementType, shape: shape,
      source: ByteSwapped(source, wordWidth: elementType.layout.bytesPerElement ?? 1))
  }

  /// The same bits as values of another type.
  func reinterpreted(as type: ElementType) throws -> Tensor {
    try Tensor(elementType: type, shape: shape, source: source)
  }

  /// The values with a number added; for vectors, which fit into memory.
  func adding(_ number: Double) throws -> Tensor {
    try Tensor(doubles().map { $0 + number }, shape: shape.dimensions)
  }
}
