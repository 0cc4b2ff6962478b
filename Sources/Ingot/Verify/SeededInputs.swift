internal import Tensors

/// Inputs drawn from a seed, for a model of which nothing was recorded.
///
/// Three sequences: a whole one, one of half its length and one of a single position, the rest of both
/// hidden by the mask where the model takes one. An encoder-decoder's outputs are a quarter shorter than
/// its inputs, and the single position stands beside the whole input. Ids are any of the vocabulary,
/// features and pictures are even between −√3 and √3, which has the variance 1.
public struct SeededInputs: Sendable {
  /// The seed.
  public let seed: UInt64
  /// The inputs by their canonical names.
  let tensors: [ExactString: Tensor]

  /// What a sequence has where the model's positions allow it and nothing else is asked for.
  private static let usualLength = 32

  /// Draws inputs for a model.
  ///
  /// - Parameter sequence: The length of the longest sequence; nil is 32, or the model's positions where
  ///   they are fewer.
  /// - Throws: `malformed` for a description that does not say how large its inputs are.
  init(_ model: Model, seed: UInt64, sequence: Int?) throws {
    self.seed = seed
    let length = try sequence ?? min(Self.usualLength, model.usualSequence)
    let shorter = max(1, length - length / 4)
    let whole = try ShapeWalk(model, batch: 3, sequence: length).shapes
    let decoder = try ShapeWalk(model, batch: 3, sequence: shorter).shapes
    var random = SeededGenerator(seed: seed)
    var tensors: [ExactString: Tensor] = [:]
    for input in model.architecture.inputs {
      let isDecoder = input.name.hasPrefix("decoder_")
      // Positions counted from 0 are what the model is used with.
      guard input.name != "position_ids", let shape = (isDecoder ? decoder : whole)[input.name]
      else { continue }
      let count = shape.reduce(1, *)
      switch input.kind {
      case .ids:
        let bound = try model.environment.count(input.size)
        guard bound > 0 else {
          throw IngotError(.malformed, "the input '\(input.name)' has no ids: '\(input.size)' is 0")
        }
        let ids = (0..<count).map { _ in Int64(random.index(below: bound)) }
        tensors[input.name] = try Tensor(ids, shape: shape)
      case .mask:
        let lengths = [shape[1], (shape[1] + 1) / 2, 1]
        let visible = isDecoder ? lengths.reversed() : lengths
        let mask = visible.flatMap { length in (0..<shape[1]).map { Int64($0 < length ? 1 : 0) } }
        tensors[input.name] = try Tensor(mask, shape: shape)
      case .pixels, .features, .frames:
        let scale = 3.0.squareRoot()
        let elements = (0..<count).map { _ in (2 * random.unit() - 1) * scale }
        // Frames come with their channels first.
        let given = input.kind == .frames ? [shape[0], shape[2], shape[1]] : shape
        tensors[input.name] = try Tensor(elements, shape: given)
      }
    }
    self.tensors = tensors
  }

  /// The inputs' names and shapes, sorted by name.
  public var shapes: [(name: ExactString, shape: Shape)] {
    tensors.map { ($0.key, $0.value.shape) }.sorted { $0.name < $1.name }
  }

  /// The object in reports.
  var json: JSON {
    [
      "seed": JSON(seed),
      "inputs": .object(shapes.map { JSON.Member($0.name, JSON($0.shape.dimensions)) }),
    ]
  }
}
